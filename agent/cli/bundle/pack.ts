/** Writes a bundle's documents into one archive that only its owner may read. */

import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { codeOf, EXIT, Fault } from "../../errors.ts";
import { unwritable } from "../named-files.ts";
import type { BundleDocument } from "./gather.ts";

/** The archive's path. Throws Fault `cli.file` where it can't be written or something is there already. */
export function packBundle(documents: readonly BundleDocument[], file: string): string {
  const archive = resolve(file);
  const work = mkdtempSync(join(tmpdir(), "windfarm-bundle-"));
  try {
    const folder = basename(archive).replace(/(\.tar\.gz|\.tgz)$/, "") || "windfarm-bundle";
    mkdirSync(join(work, folder));
    for (const { name, text } of documents) writeFileSync(join(work, folder, name), text);
    pack(archive, ["-C", work, folder]);
    return archive;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function pack(archive: string, what: readonly string[]): void {
  const descriptor = openNew(archive);
  try {
    const packed = spawnSync("tar", ["-czf", "-", ...what], {
      stdio: ["ignore", descriptor, "pipe"],
      encoding: "utf8",
    });
    if (packed.status === 0) return;
    rmSync(archive, { force: true });
    const why =
      packed.error === undefined
        ? packed.stderr.split("\n")[0]
        : `tar can't be run (${codeOf(packed.error)})`;
    throw new Fault("bundle.tar", `${archive} could not be written: ${why}`, {
      hint: "make room (df -h), or name another file with --out",
    });
  } finally {
    closeSync(descriptor);
  }
}

/** Root writes where others may have put a link: only a file that was not there is taken, and its mode holds from the start. */
function openNew(archive: string): number {
  try {
    return openSync(archive, "wx", 0o600);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw unwritable(archive, error);
    throw new Fault("cli.file", `${archive} is there already`, {
      hint: "name another file with --out, or move that one away",
      exitCode: EXIT.usage,
      cause: error,
    });
  }
}
