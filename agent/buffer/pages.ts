/**
 * The pages of a SQLite file that SQLite itself can't read any more: the file's own, with those of its log laid over them.
 * Formats: https://sqlite.org/fileformat2.html
 */

import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { PAGE_BYTES } from "./connection.ts";
import { indexLog } from "./wal.ts";

const FREELIST_AT = 32;

export class PageSource {
  readonly #file: number | undefined;
  readonly #log: number | undefined;
  /** Page number → where its newest version lies in the log. */
  readonly #inLog: ReadonlyMap<number, number>;
  readonly #inFile: number;
  /** Pages that only the log has. */
  readonly #beyond: readonly number[];

  /** Reads `path` and `<path>-wal`, whichever there are. */
  constructor(path: string) {
    this.#file = openIfThere(path);
    this.#log = openIfThere(`${path}-wal`);
    this.#inLog = this.#log === undefined ? new Map() : indexLog(this.#log).newest;
    const inFile = this.#file === undefined ? 0 : Math.ceil(fstatSync(this.#file).size / PAGE_BYTES);
    this.#inFile = inFile;
    this.#beyond = [...this.#inLog.keys()].filter((page) => page > inFile).sort((a, b) => a - b);
  }

  /** How many pages there are. */
  get count(): number {
    return this.#inFile + this.#beyond.length;
  }

  /** The number of the page at a place from 1 to `count`. */
  numberAt(place: number): number {
    return place <= this.#inFile ? place : (this.#beyond[place - this.#inFile - 1] ?? 0);
  }

  /** The page's bytes, filled up with zeros where the file ends inside it; undefined where it can't be read. */
  page(number: number): Buffer | undefined {
    const inLog = this.#inLog.get(number);
    if (inLog === undefined && (number < 1 || number > this.#inFile)) return undefined;
    const [file, place] = inLog === undefined ? [this.#file, (number - 1) * PAGE_BYTES] : [this.#log, inLog];
    if (file === undefined) return undefined;
    const page = Buffer.alloc(PAGE_BYTES);
    try {
      return readSync(file, page, 0, PAGE_BYTES, place) === 0 ? undefined : page;
    } catch {
      // A sector that can't be read any more costs its page.
      return undefined;
    }
  }

  /** Pages that hold nothing any more, as far as the list of them can be followed. */
  freePages(): Set<number> {
    const free = new Set<number>();
    let trunk = this.page(1)?.readUInt32BE(FREELIST_AT) ?? 0;
    while (trunk !== 0 && !free.has(trunk)) {
      const page = this.page(trunk);
      if (page === undefined) break;
      free.add(trunk);
      const leaves = Math.min(page.readUInt32BE(4), PAGE_BYTES / 4 - 2);
      for (let leaf = 0; leaf < leaves; leaf++) free.add(page.readUInt32BE(8 + 4 * leaf));
      trunk = page.readUInt32BE(0);
    }
    return free;
  }

  close(): void {
    for (const file of [this.#file, this.#log]) if (file !== undefined) closeSync(file);
  }
}

function openIfThere(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? openSync(path, "r") : undefined;
}
