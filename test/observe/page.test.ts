import t from "tap";
import { countersOf } from "../../agent/observe/page/counters.ts";
import { html } from "../../agent/observe/page/html.ts";
import { mainOf, titleOf } from "../../agent/observe/page/main.ts";
import { pageOf } from "../../agent/observe/page/page.ts";
import { RateWindow } from "../../agent/observe/rates.ts";
import type { Snapshot } from "../../agent/observe/snapshot.ts";
import { sampleLive } from "./sample-live.ts";
import { NOON_MS, sampleSnapshot } from "./sample-snapshot.ts";

/** The text of the page's main part, without markup, no-break spaces as blanks. */
function textOf(snapshot: Snapshot, rates = new RateWindow(10_000)): string {
  const { text } = mainOf(snapshot, rates, sampleLive().view());
  return text
    .replace(/<[^>]*>/g, " ")
    .replaceAll("\u00a0", " ")
    .replace(/\s+/g, " ");
}

t.test("What is put into a template is escaped, once, and markup stays markup", async (t) => {
  t.equal(html`<p title="${`"'><&`}">${"<b>"}</p>`.text, '<p title="&quot;&#39;&gt;&lt;&amp;">&lt;b&gt;</p>');
  t.equal(
    html`<ul>${["a<", "b"].map((item) => html`<li>${item}</li>`)}</ul>`.text,
    "<ul><li>a&lt;</li><li>b</li></ul>",
  );
  t.equal(html`${undefined}${0}${[1, [2]]}`.text, "012");
});

t.test("No name and no error from outside becomes markup", async (t) => {
  const evil = `<img src=x onerror=alert(1)>"'&`;
  const snapshot = sampleSnapshot({
    gateway: evil,
    site: evil,
    version: evil,
    epoch: evil,
    sentence: `Failed: ${evil}`,
  });
  snapshot.collect = { ...snapshot.collect, url: evil, closedConnections: { [evil]: 1 } };
  snapshot.validate = { accepted: { [evil]: 1 }, outOfRange: { [evil]: 1 }, rejected: { [evil]: 1 } };
  snapshot.buffer = { ...snapshot.buffer, problem: evil, recovered: [evil] };
  const lastError = { code: evil, message: evil, hint: evil, atMs: NOON_MS };
  snapshot.ship = { ...snapshot.ship, stream: evil, region: evil, endpoint: evil, lastError };
  const { text } = pageOf(snapshot, new RateWindow(1000), sampleLive().view());
  t.notMatch(text, /<img/);
  t.notMatch(text, /"[^"<>]*"'&/, "and none leaves its attribute");
  t.ok(text.split("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;").length > 15, "but each is shown");
});

t.test("The account is shown as a sum", async (t) => {
  t.match(
    textOf(sampleSnapshot()),
    /48 213 received = 48 095 shipped accepted by Kinesis \+ 113 buffered .* \+ 5 rejected .* \+ 0 dropped/,
  );
  t.notMatch(textOf(sampleSnapshot()), /account is wrong/);
});

t.test("An account that doesn't add up says so itself", async (t) => {
  t.match(textOf(sampleSnapshot({ received: 48_220 })), /add up to 48 213: the account is wrong by 7/);
});

t.test("Every part of the account is seen in the bar, and together they fill it", async (t) => {
  for (const counts of [
    { received: 1_000_004, shipped: 1_000_000, buffered: 2, rejected: 1, dropped: 1 },
    { received: 1, shipped: 0, buffered: 1, rejected: 0, dropped: 0 },
  ]) {
    const bar =
      /<svg class="bar"[\s\S]*?<\/svg>/.exec(
        mainOf(sampleSnapshot(counts), new RateWindow(1), sampleLive().view()).text,
      )?.[0] ?? "";
    const widths = [...bar.matchAll(/ width="([\d.]+)%"/g)].map(([, width]) => Number(width));
    t.equal(widths.length, 4);
    t.ok(Math.abs(widths.reduce((sum, width) => sum + width, 0) - 100) < 0.01);
    t.equal(
      widths.filter((width) => width > 0.5).length,
      Object.values(counts).slice(1).filter(Boolean).length,
    );
  }
  const empty = { received: 0, shipped: 0, buffered: 0, rejected: 0, dropped: 0 };
  t.notMatch(mainOf(sampleSnapshot(empty), new RateWindow(1), sampleLive().view()).text, /NaN/);
});

t.test("Rates are shown once they are known", async (t) => {
  const rates = new RateWindow(10_000);
  const before = sampleSnapshot();
  rates.push(before.nowMs, countersOf(before));
  t.match(textOf(before, rates), /… received/);
  const now = sampleSnapshot({
    nowMs: NOON_MS + 10_000,
    received: before.received + 298,
    shipped: before.shipped + 300,
  });
  rates.push(now.nowMs, countersOf(now));
  t.match(textOf(now, rates), /29\.8\/s received .* 30\/s shipped/);
});

t.test(
  "What Kinesis last said stands there with what to do, and what the sentence says isn't said twice",
  async (t) => {
    const lastError = {
      code: "ship.refused",
      message: "the endpoint refuses the connection",
      hint: "Start the local cloud.",
      atMs: NOON_MS - 8000,
    };
    const bad = sampleSnapshot({ state: "buffering", sentence: "Buffering." });
    bad.ship = { ...bad.ship, lastError, lastSuccessMs: NOON_MS - 700_000, backoffSeconds: 11.2 };
    t.match(
      textOf(bad),
      /Kinesis does not take readings the endpoint refuses the connection Start the local cloud\. ship\.refused 8 s ago\. Next try in 12 s\./,
    );
    const told = { ...bad, sentence: `Buffering: (${lastError.message}).` };
    t.equal(textOf(told).split(lastError.message).length - 1, 1);
    const over = { ...bad, state: "delivering" as const, ship: { ...bad.ship, lastSuccessMs: NOON_MS } };
    t.match(textOf(over), /Kinesis takes readings again/);
    const longOver = { ...over, nowMs: NOON_MS + 700_000 };
    t.notMatch(textOf(longOver), /refuses the connection/);
  },
);

t.test("Damage found at the start stands there with what was saved", async (t) => {
  const snapshot = sampleSnapshot();
  snapshot.buffer = { ...snapshot.buffer, recovered: ["The file was cut short."], salvagedReadings: 40_211 };
  t.match(textOf(snapshot), /The buffer was damaged; 40 211 readings saved The file was cut short\./);
});

t.test("Files set aside are counted with what they take, where there are any", async (t) => {
  const snapshot = sampleSnapshot();
  t.notMatch(textOf(snapshot), /set aside/);
  const aside = [
    { file: "buffer.db.damaged-1", bytes: 2 ** 20, state: "incomplete" },
    { file: "buffer.db.damaged-2", bytes: 2 ** 20, state: "unread" },
  ] as const;
  snapshot.buffer = { ...snapshot.buffer, aside };
  t.match(
    textOf(snapshot),
    /Set aside now 2 files, 2\.0 MiB, 1 with readings that could not be saved: windfarm buffer/,
  );
});

t.test("Every figure says since when it counts, and reasons are in words", async (t) => {
  const snapshot = sampleSnapshot();
  snapshot.validate = { ...snapshot.validate, rejected: { topic: 2, no_value: 1 } };
  const text = textOf(snapshot);
  t.match(text, /Every reading accounted for since the buffer was created/);
  t.match(text, /Disk since the agent started .* Shipping since the agent started/);
  t.match(text, /Not understood 2 wrong topic 1 no number as data/);
  t.match(text, /Records sent again 0/);
});

t.test("A full buffer is told by the sentence alone, a disk that refuses with its reason", async (t) => {
  const snapshot = sampleSnapshot({ state: "full", sentence: "Full: the buffer has used its 2.0 GiB." });
  const problem = "The buffer is full: senders keep their readings until some are delivered.";
  snapshot.buffer = { ...snapshot.buffer, state: "full", problem };
  t.notMatch(textOf(snapshot), problem);
  snapshot.buffer = { ...snapshot.buffer, state: "failed", problem: "EIO" };
  t.match(textOf(snapshot), "The buffer EIO");
});

t.test("An existing broker is shown as such", async (t) => {
  const snapshot = sampleSnapshot();
  snapshot.collect = { ...snapshot.collect, mode: "connect", url: "mqtts://broker:8883", connections: 1 };
  t.match(textOf(snapshot), /Broker connected to the broker mqtts:\/\/broker:8883/);
  snapshot.collect = { ...snapshot.collect, connections: 0, ready: false };
  t.match(textOf(snapshot), /Broker not connected .* not accepting readings/);
});

t.test("A snapshot of a first second has no figure that is no number", async (t) => {
  const fresh = sampleSnapshot({ received: 0, shipped: 0, buffered: 0, rejected: 0, startedMs: NOON_MS });
  fresh.validate = { accepted: {}, outOfRange: {}, rejected: {} };
  fresh.buffer = { ...fresh.buffer, commits: 0, committedReadings: 0, commitSeconds: 0, maxBytes: 0 };
  fresh.ship = { ...fresh.ship, records: 0, readings: 0 };
  fresh.health = { rssBytes: 1, cpuSeconds: 0, load1: 0 };
  t.notMatch(textOf(fresh), /NaN|undefined|Infinity/);
  t.match(textOf(fresh), /No reading has been understood yet/);
});

t.test("The tab says what is wrong before whose page it is", async (t) => {
  t.equal(titleOf(sampleSnapshot()), "gw-01: Delivering, 0 s behind.");
  t.equal(titleOf(sampleSnapshot({ state: "buffering", buffered: 43_120 })), "Buffering (43 120): gw-01");
});
