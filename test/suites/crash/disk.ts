/** What a disk could hold after the power was cut at any moment of a trace. */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Op } from "./trace.ts";

type FileOp = Exclude<Op, { kind: "send" } | { kind: "sync" }>;

/** What becomes of writes that were not synced. */
export type Fate =
  | "kept"
  | "lost"
  /** Each one kept or lost by chance, in any combination. */
  | "thinned"
  /** All but the last kept, the last cut within a sector. */
  | "torn";

export const FATES: readonly Fate[] = ["lost", "kept", "thinned", "torn"];
const SECTOR = 512;

class Image {
  #bytes = Buffer.alloc(0);
  #length = 0;

  apply(op: FileOp, upTo = Number.POSITIVE_INFINITY): void {
    if (op.kind === "unlink") this.#length = 0;
    else if (op.kind === "truncate") this.#resize(op.length);
    else {
      const data = op.data.subarray(0, upTo);
      if (op.offset + data.length > this.#length) this.#resize(op.offset + data.length);
      data.copy(this.#bytes, op.offset);
    }
  }

  bytes(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  #resize(length: number): void {
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(length, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    if (length > this.#length) this.#bytes.fill(0, this.#length, length);
    this.#length = length;
  }
}

/** Follows a trace; `write` puts down what a cut at this moment could leave. */
export class Disk {
  readonly #synced = new Map<string, Image>();
  readonly #pending = new Map<string, FileOp[]>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  apply(op: Op): void {
    if (op.kind === "send") return;
    const pending = this.#pending.get(op.file) ?? [];
    this.#pending.set(op.file, pending);
    if (op.kind !== "sync") {
      pending.push(op);
      return;
    }
    const image = this.#synced.get(op.file) ?? new Image();
    this.#synced.set(op.file, image);
    for (const done of pending) image.apply(done);
    pending.length = 0;
  }

  /** Bytes of writes that a cut could lose now, per file name. */
  get unsynced(): boolean {
    return [...this.#pending.values()].some((pending) => pending.length > 0);
  }

  /** Writes the files of one possible aftermath into `folder`, emptied first. */
  write(folder: string, fate: Fate): void {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    for (const file of new Set([...this.#synced.keys(), ...this.#pending.keys()])) {
      const image = new Image();
      const synced = this.#synced.get(file)?.bytes();
      if (synced !== undefined) image.apply({ kind: "write", file, offset: 0, data: synced });
      this.#applyPending(image, this.#pending.get(file) ?? [], fate);
      writeFileSync(join(folder, basename(file)), image.bytes());
    }
  }

  #applyPending(image: Image, pending: readonly FileOp[], fate: Fate): void {
    if (fate === "lost") return;
    for (const [index, op] of pending.entries()) {
      if (fate === "thinned" && this.#random() < 0.5) continue;
      const last = index === pending.length - 1;
      if (fate === "torn" && last && op.kind === "write") {
        image.apply(op, Math.floor((this.#random() * op.data.length) / SECTOR) * SECTOR);
      } else image.apply(op);
    }
  }
}
