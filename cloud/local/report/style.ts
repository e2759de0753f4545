/** The report's style; as a text, for the file has to hold everything. */

export const STYLE = `
:root { color-scheme: light dark; --ground: #f4f6f5; --card: #fff; --ink: #15211f; --quiet: #566663; --line: #dde4e2;
  --value: #0b7a6f; --plausible: #0b7a6f12; --out: #b42318; --empty: #e3e9e7; }
@media (prefers-color-scheme: dark) { :root { --ground: #0e1514; --card: #17201f; --ink: #e6eeec; --quiet: #9fb0ac;
  --line: #2a3735; --value: #3fc1b0; --plausible: #3fc1b014; --out: #f58a7e; --empty: #263230; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 32px clamp(14px, 3vw, 32px); max-width: 1180px; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums; }
h1, h2, h3, p, figure { margin: 0; }
h1 { font-size: 1.7rem; line-height: 1.25; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; font-weight: 650; }
h3 + .wide table { margin-top: 0; }
h3 { margin: 18px 0 4px; font-size: .95rem; overflow-wrap: anywhere; }
.summary { margin-top: 10px; font-size: 1.1rem; max-width: 60em; text-wrap: balance; }
.quiet { color: var(--quiet); font-weight: 400; font-size: .87em; }
section { margin-top: 24px; padding: 20px 22px; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
section > p.quiet { max-width: 70em; }
.wide { overflow-x: auto; }
table { margin-top: 8px; width: 100%; border-collapse: collapse; }
th, td { padding: 7px 18px 7px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
tbody tr:last-child > * { border-bottom: 0; }
td, thead th { white-space: nowrap; }
thead th { color: var(--quiet); font-size: .8rem; font-weight: 500; }
.none { color: var(--out); }
.calm { margin-top: 10px; }
.hours { display: block; margin-top: 3px; width: 143px; height: 8px; }
.hours rect { fill: var(--empty); }
.hours .heard { fill: var(--value); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(310px, 100%), 1fr)); gap: 14px 22px; }
article + article { margin-top: 12px; padding-top: 2px; border-top: 1px solid var(--line); }
figure { max-width: 560px; break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; column-gap: .5em; align-items: baseline; font-size: .87rem; }
figcaption strong { overflow-wrap: anywhere; }
figcaption span { white-space: nowrap; }
.extent { margin-left: auto; }
figure svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--quiet); font-size: 10px; }
.plausible { fill: var(--plausible); }
.limit { stroke: var(--value); stroke-dasharray: 3 3; stroke-opacity: .6; }
.grid { stroke: var(--line); }
.axis { stroke: var(--quiet); stroke-opacity: .5; }
.band { fill: var(--value); fill-opacity: .2; stroke: var(--value); stroke-opacity: .2; }
.line { fill: none; stroke: var(--value); stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; }
.dot { stroke-width: 4; }
.out { fill: var(--out); }
footer { margin-top: 18px; }
@media print { body { padding: 0; max-width: none; } section { border: 0; padding: 12px 0; }
  .wide { overflow: visible; } td, thead th { white-space: normal; padding-right: 10px; } }
`;
