// Builds every program into dist/, one file each. The gateway's program is bundled whole (only the native
// SQLite addon stays outside), because one file starts faster and weighs less than a tree of modules; the
// others, which never run on a gateway, take their packages from node_modules.
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { runbookHtml } from "./runbook.mjs";

const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  outdir: "dist",
  sourcemap: "linked",
  logLevel: "warning",
  loader: { ".sql": "text", ".html": "text", ".css": "text" },
};

// A small young generation: the agent's garbage dies at once, so larger ones only cost memory (136 MB instead of 84 under
// full load), and no throughput. It is collected by the thread that made it: for one megabyte, waking helpers costs more
// than they do, a twelfth of all CPU time while shipping. The old generation is collected when it has grown by a quarter,
// where V8 would let so small a heap grow to four times what lives in it: 70 MB of dead connections when clients come and go
// by the hundred a second. With a threshold of its own glibc no longer learns from large buffers to keep them: what many
// connections took at once goes back to the system.
const shebang = [
  "#!/usr/bin/env -S MALLOC_TRIM_THRESHOLD_=8388608 MALLOC_ARENA_MAX=1",
  "node --max-semi-space-size=1 --heap-growing-percent=25 --single-threaded-gc",
].join(" ");

// CommonJS packages inside an ES module ask for require, __filename and __dirname.
const commonJsNames = [
  'import { createRequire as __createRequire } from "node:module";',
  'import { fileURLToPath as __fileURLToPath } from "node:url";',
  'import { dirname as __pathDirname } from "node:path";',
  "const require = __createRequire(import.meta.url);",
  "const __filename = __fileURLToPath(import.meta.url);",
  "const __dirname = __pathDirname(__filename);",
].join("");

const entries = (table) =>
  Object.entries(table)
    .filter(([, file]) => existsSync(file))
    .map(([out, file]) => ({ in: file, out }));

// What the status page gives to the browser, and in the gateway's program, which is one file, as text inside it.
const page = {
  ...common,
  platform: "browser",
  target: "es2022",
  minify: true,
  sourcemap: false,
  loader: {},
  write: false,
};
const [script, style] = (
  await Promise.all([
    build({
      ...page,
      banner: { js: "/*! with uPlot, Copyright (c) Leon Sorokin, MIT License */" },
      entryPoints: ["agent/observe/page/client/main.js"],
    }),
    build({ ...page, entryPoints: ["agent/observe/page/page.css"] }),
  ])
).map(({ outputFiles }) => outputFiles[0].text);
const runbook = runbookHtml(await readFile("deploy/RUNBOOK.md", "utf8"));
await mkdir("dist/page", { recursive: true });
await Promise.all([
  writeFile("dist/page/page.js", script),
  writeFile("dist/page/page.css", style),
  writeFile("dist/page/runbook.html", runbook),
]);

const pageInside = {
  name: "page-inside",
  setup({ onLoad }) {
    onLoad({ filter: /agent\/observe\/page\/assets\.ts$/ }, () => {
      const assets = JSON.stringify({ script, style, runbook });
      return { contents: `export function loadAssets() { return ${assets}; }`, loader: "js" };
    });
  },
};

// zod speaks fifty languages, a tenth of the whole program; ours are English.
const oneLanguage = {
  name: "one-language",
  setup({ onLoad }) {
    onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => {
      return { contents: 'export { default as en } from "./en.js";', loader: "js" };
    });
  },
};

await build({
  ...common,
  entryPoints: entries({ windfarm: "agent/main.ts" }),
  plugins: [pageInside, oneLanguage],
  external: ["better-sqlite3"],
  banner: { js: `${shebang}\n${commonJsNames}` },
  // Less to read at start and to keep in memory; the names stay, for the stack traces.
  minify: true,
  keepNames: true,
});

await build({
  ...common,
  plugins: [pageInside],
  packages: "external",
  entryPoints: entries({
    simulate: "simulators/main.ts",
    cloud: "cloud/local/main.ts",
    query: "cloud/local/query.ts",
    audit: "cloud/local/audit.ts",
    report: "cloud/local/report.ts",
    cdk: "cloud/app.ts",
    provision: "cloud/provision/main.ts",
    start: "deploy/local/start.ts",
    bench: "test/bench/main.ts",
    "bench-load": "test/bench/load.ts",
    "bench-bare-aedes": "test/bench/bare-aedes.ts",
  }),
});

await chmod("dist/windfarm.js", 0o755);
