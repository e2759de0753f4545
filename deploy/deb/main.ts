/** `npm run deb`: the package for a gateway, from this checkout. */

import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import yargs from "yargs";
import { formatBytes } from "../../agent/common/format.ts";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { addonFor } from "./addon.ts";
import { nodeFor } from "./runtime.ts";
import { TARGETS, type Target } from "./targets.ts";
import { tool } from "./tools.ts";
import { layOut } from "./tree.ts";

/** This runs from dist/. */
const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CACHE = join(ROOT, "node_modules", ".cache", "windfarm-deb");

async function main(argv: readonly string[]): Promise<void> {
  const { arch, quick } = await yargs([...argv])
    .scriptName("npm run deb --")
    .usage("Writes dist/windfarm_<version>_<arch>.deb.")
    .option("arch", {
      requiresArg: true,
      choices: TARGETS.map((target) => target.arch),
      default: hostArch(),
      describe: "the gateway's architecture, in Debian's word",
    })
    .option("quick", {
      type: "boolean",
      default: false,
      describe: "compress little, for trying: seconds instead of a minute, half as large again",
    })
    .example("npm run deb -- --arch arm64", "for a Raspberry Pi 3, 4 or 5 with a 64-bit system")
    .parserConfiguration({ "duplicate-arguments-array": false })
    .strict()
    .version(false)
    .fail((message: string | null, error) => {
      const what = message ?? messageOf(error);
      throw new Fault("deb.usage", what.replaceAll(/\s*\n\s*/g, " "), {
        hint: "npm run deb -- --help",
        exitCode: EXIT.usage,
      });
    })
    .parseAsync();
  const target = TARGETS.find((one) => one.arch === arch);
  if (target === undefined) return;
  const file = buildPackage(target, quick);
  process.stdout.write(`${file} (${formatBytes(statSync(file).size)})\n`);
}

function hostArch(): Target["arch"] {
  return TARGETS.find(({ nodeArch }) => nodeArch === process.arch)?.arch ?? "amd64";
}

function buildPackage(target: Target, quick: boolean): string {
  tell(`Node.js ${target.node.version} for ${target.arch}`);
  const nodeFolder = nodeFor(target.node, CACHE);
  tell("the SQLite addon, compiled once");
  const addon = addonFor(target, nodeFolder, CACHE);
  tell("the package");
  const epoch = commitSeconds();
  const file = join(ROOT, "dist", `windfarm_${pkg.version}_${target.arch}.deb`);
  const work = mkdtempSync(join(tmpdir(), "windfarm-deb-"));
  try {
    const tree = join(work, "tree");
    mkdirSync(tree);
    layOut(tree, { target, version: pkg.version, epoch, root: ROOT, nodeFolder, addon });
    const packed = join(work, "windfarm.deb");
    tool(
      "dpkg-deb",
      ["--root-owner-group", ...(quick ? ["-Zgzip", "-z1"] : ["-Zxz"]), "--build", tree, packed],
      {
        env: { SOURCE_DATE_EPOCH: String(epoch) },
        hint: "apt install dpkg",
      },
    );
    tool("cp", [packed, `${file}.new`]);
    renameSync(`${file}.new`, file);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return file;
}

/** Minutes pass at the first time: whoever watches sees what for. */
function tell(step: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${step} …\n`);
}

/** When the commit was made: the same commit gives the same bytes. */
function commitSeconds(): number {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  const hint = "build in a git checkout, or set SOURCE_DATE_EPOCH";
  return Number(tool("git", ["log", "-1", "--format=%ct"], { cwd: ROOT, hint }).trim());
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(
    `npm run deb: ${error.message}\n${error.hint === undefined ? "" : `  try: ${error.hint}\n`}`,
  );
  process.exitCode = error.exitCode;
}
