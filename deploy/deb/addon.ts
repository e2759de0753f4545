/** SQLite's addon for the gateway, compiled against the headers of the Node.js it will run in. */

import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Fault } from "../../agent/errors.ts";
import type { Target } from "./targets.ts";
import { tool } from "./tools.ts";

/** glibc of Debian 12, the oldest release the package is for. */
const NEWEST_GLIBC = 36;
const Package = z.object({ version: z.string() });

/** The compiled and stripped `better_sqlite3.node`; compiled anew only when something it depends on has changed. */
export function addonFor(target: Target, nodeFolder: string, cache: string): string {
  const { triplet, arch } = target;
  const source = dirname(createRequire(import.meta.url).resolve("better-sqlite3/package.json"));
  const { version } = Package.parse(JSON.parse(readFileSync(join(source, "package.json"), "utf8")));
  const compiler = tool(`${triplet}-g++`, ["-dumpfullversion"], { hint: packagesFor(target) }).trim();
  const file = join(
    cache,
    `better-sqlite3-${version}-node-${target.node.version}-${arch}-gcc-${compiler}.node`,
  );
  if (!existsSync(file)) compile(target, nodeFolder, source, file);
  requireOldGlibc(file, triplet);
  return file;
}

function compile(target: Target, nodeFolder: string, source: string, file: string): void {
  const { triplet, nodeArch } = target;
  const work = `${file}.work`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  for (const part of ["binding.gyp", "deps", "src"]) {
    cpSync(join(source, part), join(work, part), { recursive: true });
  }
  // Where it was compiled must not show in the bytes.
  const flags = `-ffile-prefix-map=${work}=.`;
  const env = {
    CC: `${triplet}-gcc`,
    CXX: `${triplet}-g++`,
    AR: `${triplet}-ar`,
    CFLAGS: flags,
    CXXFLAGS: flags,
    npm_config_nodedir: nodeFolder,
  };
  const args = [
    "rebuild",
    "--release",
    `--nodedir=${nodeFolder}`,
    `--arch=${nodeArch}`,
    `--jobs=${cpus().length}`,
  ];
  tool(process.execPath, [nodeGyp(), ...args], { cwd: work, env, hint: packagesFor(target) });
  const built = join(work, "build", "Release", "better_sqlite3.node");
  tool(`${triplet}-strip`, [built], { hint: packagesFor(target) });
  renameSync(built, file);
  rmSync(work, { recursive: true, force: true });
}

/** The one that comes with npm. */
function nodeGyp(): string {
  const npm = dirname(dirname(realpathSync(tool("sh", ["-c", "command -v npm"]).trim())));
  return join(npm, "node_modules", "node-gyp", "bin", "node-gyp.js");
}

/** An addon made on a newer system would not load on the oldest one it is for. */
function requireOldGlibc(file: string, triplet: string): void {
  const symbols = tool(`${triplet}-readelf`, ["--dyn-syms", "--wide", file]);
  const newest = Math.max(...[...symbols.matchAll(/@GLIBC_2\.(\d+)/g)].map((match) => Number(match[1])));
  if (newest <= NEWEST_GLIBC) return;
  throw new Fault("deb.glibc", `the addon needs glibc 2.${newest}; Debian 12 has 2.${NEWEST_GLIBC}`, {
    hint: "build the package on Debian 12",
  });
}

function packagesFor({ triplet, arch }: Target): string {
  if (arch === "amd64") return "apt install g++ make python3";
  return `apt install g++-${triplet} make python3; without Debian's cross compilers build on the machine itself`;
}
