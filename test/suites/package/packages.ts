/** The packages the suite installs: the one that was built, and others made of it. */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import pkg from "../../../package.json" with { type: "json" };
import { ROOT } from "../../helpers/program.ts";

/** Of this checkout, made anew. Throws where it can't be made. */
export function packageFile(arch: string): string {
  const file = join(ROOT, "dist", `windfarm_${pkg.version}_${arch}.deb`);
  const env = { ...process.env, NODE_OPTIONS: "" };
  execFileSync("node", ["dist/deb.js", "--quick", "--arch", arch], { cwd: ROOT, env, stdio: "inherit" });
  return file;
}

/** The same package under another version, and perhaps one that reads only buffers up to another format. */
export function repacked(t: Test, deb: string, change: { version: string; readsFormat?: number }): string {
  const { version, readsFormat } = change;
  const folder = t.testdir();
  const tree = join(folder, "tree");
  execFileSync("dpkg-deb", ["-R", deb, tree]);
  edit(join(tree, "DEBIAN/control"), (text) => text.replace(/^Version: .*$/m, `Version: ${version}`));
  edit(join(tree, "DEBIAN/preinst"), (text) => {
    const renamed = text.replaceAll(pkg.version, version);
    return readsFormat === undefined
      ? renamed
      : renamed
          .replace(/-gt \d+ \]/, `-gt ${readsFormat} ]`)
          .replace(/up to format \d+/, `up to format ${readsFormat}`);
  });
  const file = join(folder, "changed.deb");
  execFileSync("dpkg-deb", ["--root-owner-group", "-Znone", "-b", tree, file], { stdio: "ignore" });
  return file;
}

function edit(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, "utf8")));
}
