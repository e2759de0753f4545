// Builds every program into dist/, one file each. The gateway's program is bundled whole (only the native SQLite addon
// stays outside), because one file starts faster and weighs less than a tree of modules; the Debian package takes that
// very file. The others, which never run on a gateway, take their packages from node_modules.
import { existsSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { build } from "esbuild";
import { GATEWAY_ENVIRONMENT, GATEWAY_FLAGS } from "./node-flags.mjs";
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

const shebang = `#!/usr/bin/env -S ${GATEWAY_ENVIRONMENT.join(" ")} node ${GATEWAY_FLAGS.join(" ")}`;

// An import of a Node.js module reads every name it exports, and some of them load what nobody asked for: fetch and WebSocket
// behind node:http, the streams behind node:fs. A require reads what is used, and saves a fifth of the start.
const nodeByRequire = {
  name: "node-by-require",
  setup({ onResolve, onLoad }) {
    const names = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));
    onResolve({ filter: /^[\w:/]+$/ }, ({ path, namespace, kind }) =>
      names.has(path) && namespace !== "node-by-require" && kind !== "require-call"
        ? { path, namespace: "node-by-require" }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: "node-by-require" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

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
  metafile: true,
};
const pageBuilds = await Promise.all([
  build({
    ...page,
    banner: { js: "/*! with uPlot, Copyright (c) Leon Sorokin, MIT License */" },
    entryPoints: ["agent/observe/page/client/main.js"],
  }),
  build({ ...page, entryPoints: ["agent/observe/page/page.css"] }),
]);
const [script, style] = pageBuilds.map(({ outputFiles }) => outputFiles[0].text);
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

// systeminformation reads all its parts at once; only these are asked for anything. Its one letter beyond ASCII, in a regular
// expression, where esbuild leaves it as it is, would make Node read the whole program the slow way, a tenth of the start.
const machineParts = {
  name: "machine-parts",
  setup({ onLoad }) {
    onLoad({ filter: /\/systeminformation\/lib\/index\.js$/ }, () => ({
      contents: ["cpu", "memory", "osinfo", "system"]
        .map((part) => `export * from "./${part}.js";`)
        .join("\n"),
      loader: "js",
    }));
    onLoad({ filter: /\/systeminformation\/lib\/cpu\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      return { contents: text.replaceAll("°", "\\xb0"), loader: "js" };
    });
  },
};

// What packages load to find their own mistakes, a twentieth of the start: assert is loaded when it is called, and debug never.
const debugAids = {
  name: "debug-aids",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(assert|debug)$/ }, ({ path }) => ({ path, namespace: "debug-aids" }));
    onLoad({ filter: /^debug$/, namespace: "debug-aids" }, () => ({
      contents: "module.exports = () => Object.assign(() => {}, { enabled: false });",
    }));
    onLoad({ filter: /^assert$/, namespace: "debug-aids" }, () => ({
      contents: `
        module.exports = (...values) => require("node:assert")(...values);
        for (const name of ["strictEqual", "notStrictEqual"])
          module.exports[name] = (...values) => require("node:assert")[name](...values);`,
    }));
  },
};

// The addon lies beside the program where it is installed, and where npm compiled it in a checkout.
const addonBeside = {
  name: "addon-beside",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^bindings$/ }, () => ({ path: "bindings", namespace: "addon-beside" }));
    onLoad({ filter: /.*/, namespace: "addon-beside" }, () => ({
      contents: `module.exports = (name) => {
        const beside = require("node:path").join(__dirname, name);
        const there = require("node:fs").existsSync(beside);
        return require(there ? beside : require.resolve("better-sqlite3/build/Release/" + name));
      };`,
      loader: "js",
    }));
  },
};

const { metafile } = await build({
  ...common,
  entryPoints: entries({ windfarm: "agent/main.ts" }),
  plugins: [pageInside, oneLanguage, machineParts, debugAids, addonBeside, nodeByRequire],
  // Which packages are inside: for the licences and the parts list of the Debian package.
  metafile: true,
  banner: { js: `${shebang}\n${commonJsNames}` },
  // Less to read at start and to keep in memory; the names stay, for the stack traces.
  minify: true,
  keepNames: true,
});
const inside = [metafile, ...pageBuilds.map((built) => built.metafile)].map(({ inputs }) => inputs);
if (/[^\0-\x7f]/.test(await readFile("dist/windfarm.js", "utf8")))
  throw new Error(
    "dist/windfarm.js holds a letter beyond ASCII, which slows every start: escape it, as machine-parts does",
  );
await writeFile("dist/windfarm.meta.json", JSON.stringify({ inputs: Object.assign({}, ...inside) }));

await build({
  ...common,
  plugins: [pageInside],
  packages: "external",
  entryPoints: entries({
    simulate: "simulators/main.ts",
    cloud: "cloud/local/main.ts",
    query: "cloud/ask/query.ts",
    audit: "cloud/ask/audit.ts",
    report: "cloud/local/report/main.ts",
    cdk: "cloud/app.ts",
    provision: "cloud/provision/main.ts",
    plan: "cloud/plan/main.ts",
    start: "deploy/local/start.ts",
    deb: "deploy/deb/main.ts",
    bench: "test/bench/main.ts",
    "bench-load": "test/bench/load.ts",
    "bench-bare-aedes": "test/bench/bare-aedes.ts",
  }),
});

await chmod("dist/windfarm.js", 0o755);
