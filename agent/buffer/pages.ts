/**
 * The pages of a SQLite file that SQLite itself can't read any more: the file's own, with those of its log laid over them.
 * Formats: https://sqlite.org/fileformat2.html
 */

import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { PAGE_BYTES } from "./connection.ts";
import { READ_DISK, type ReadSectors, readPiece } from "./sectors.ts";
import { indexLog, type LogIndex } from "./wal.ts";

const FREELIST_AT = 32;

export class PageSource {
  readonly #file: number | undefined;
  readonly #log: number | undefined;
  readonly #read: ReadSectors;
  readonly #index: LogIndex;
  readonly #inFile: number;
  /** Pages that only the log has. */
  readonly #beyond: readonly number[];
  readonly #unreadable = new Set<number>();

  /** Reads `path` and `<path>-wal`, whichever there are. */
  constructor(path: string, read: ReadSectors = READ_DISK) {
    this.#read = read;
    this.#file = openIfThere(path);
    try {
      this.#log = openIfThere(`${path}-wal`);
      this.#index =
        this.#log === undefined ? { newest: new Map(), unreadable: 0 } : indexLog(this.#log, read);
      const inFile = this.#file === undefined ? 0 : Math.ceil(fstatSync(this.#file).size / PAGE_BYTES);
      this.#inFile = inFile;
      this.#beyond = [...this.#index.newest.keys()].filter((page) => page > inFile).sort((a, b) => a - b);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Pages, and frames of the log, that the disk did not give so far. */
  get unreadable(): number {
    return this.#unreadable.size + this.#index.unreadable;
  }

  /** How many pages there are. */
  get count(): number {
    return this.#inFile + this.#beyond.length;
  }

  /** The number of the page at a place from 1 to `count`. */
  numberAt(place: number): number {
    return place <= this.#inFile ? place : (this.#beyond[place - this.#inFile - 1] ?? 0);
  }

  /**
   * The page's bytes, filled up with zeros where the file ends inside it; undefined where it can't be read. Of a page that
   * the log can't give, an older version may lie in the file: better than none.
   */
  page(number: number): Buffer | undefined {
    for (const [file, place] of this.#placesOf(number)) {
      const piece = readPiece(this.#read, file, place, PAGE_BYTES);
      if (piece !== "unreadable") return piece.bytes;
      // A sector that can't be read any more costs its page.
      this.#unreadable.add(number);
    }
    return undefined;
  }

  *#placesOf(number: number): Generator<[file: number, place: number]> {
    const inLog = this.#index.newest.get(number);
    if (inLog !== undefined && this.#log !== undefined) yield [this.#log, inLog];
    if (number >= 1 && number <= this.#inFile && this.#file !== undefined)
      yield [this.#file, (number - 1) * PAGE_BYTES];
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
