/** Writes a bundle's documents into one archive that only its owner may read. */

import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { codeOf, Fault } from "../../errors.ts";
import { unwritable } from "../named-files.ts";
import type { BundleDocument } from "./gather.ts";

/** The archive's path. Throws Fault `cli.file` where it can't be written. */
export function packBundle(documents: readonly BundleDocument[], file: string): string {
  const archive = resolve(file);
  const work = mkdtempSync(join(tmpdir(), "windfarm-bundle-"));
  try {
    const folder = basename(archive).replace(/(\.tar\.gz|\.tgz)$/, "") || "windfarm-bundle";
    mkdirSync(join(work, folder));
    for (const { name, text } of documents) writeFileSync(join(work, folder, name), text);
    makePrivate(archive);
    const packed = spawnSync("tar", ["-czf", archive, "-C", work, folder], { encoding: "utf8" });
    if (packed.status === 0) return archive;
    const why =
      packed.error === undefined
        ? packed.stderr.split("\n")[0]
        : `tar can't be run (${codeOf(packed.error)})`;
    throw new Fault("bundle.tar", `${archive} could not be written: ${why}`, {
      hint: "make room (df -h), or name another file with --out",
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function makePrivate(archive: string): void {
  try {
    writeFileSync(archive, "", { mode: 0o600 });
    chmodSync(archive, 0o600);
  } catch (error) {
    throw unwritable(archive, error);
  }
}
