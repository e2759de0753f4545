// Builds every program into dist/, one file each. The gateway's program is bundled whole (only the native
// SQLite addon stays outside), because one file starts faster and weighs less than a tree of modules; the
// others, which never run on a gateway, take their packages from node_modules.
import { existsSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { build } from "esbuild";

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

// CommonJS packages inside an ES module ask for require, __filename and __dirname.
const commonJsNames = [
  'import { createRequire as __createRequire } from "node:module";',
  'import { fileURLToPath as __fileURLToPath } from "node:url";',
  'import { dirname as __pathDirname } from "node:path";',
  "const require = __createRequire(import.meta.url);",
  "const __filename = __fileURLToPath(import.meta.url);",
  "const __dirname = __pathDirname(__filename);",
].join("");

const entries = (table) => Object.entries(table).filter(([, file]) => existsSync(file)).map(([out, file]) => ({ in: file, out }));

await build({
  ...common,
  entryPoints: entries({ windfarm: "agent/main.ts" }),
  external: ["better-sqlite3"],
  banner: { js: `#!/usr/bin/env node\n${commonJsNames}` },
  minifySyntax: true,
});

await build({
  ...common,
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
  }),
});

await chmod("dist/windfarm.js", 0o755);
