/** Opens the buffer's file again and again while an agent runs, and sets it aside where it can't be used. */

import { messageOf } from "../errors.ts";
import { removeFile, setAside } from "./aside.ts";
import { isUnusableFile } from "./damage.ts";
import { guardWritable, keepTornLog, type Means, type Opened, openFile } from "./open-store.ts";
import { writeProgress } from "./salvage-rows.ts";
import { progressOf, type Ruin } from "./salvage-source.ts";
import type { Birth } from "./schema.ts";

/** How often a new file is begun in one opening. */
const NEW_FILE_TRIES = 5;

export class Opener {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #means: Means;
  /** Set aside by an opening that then failed: the new file does not know of it yet, and has held no reading. */
  #ruin: Ruin | undefined;

  constructor(path: string, maxBytes: number, means: Means) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#means = means;
  }

  /**
   * Opens the file, makes it where there is none, sets it aside and makes a new one where it is damaged (or where `problem`
   * says that it is). Throws `buffer.unwritable`, `buffer.foreign`, `buffer.newer`, `buffer.not_durable`, or SQLite's error
   * where the disk refuses; what was set aside by then is not set aside again.
   */
  open(usedKeys?: Birth["usedKeys"], problem?: string): Opened {
    const means = usedKeys === undefined ? this.#means : { ...this.#means, usedKeys };
    if (problem !== undefined) this.#setAside(problem);
    try {
      return this.#announced(this.#openTwice(means));
    } catch (error) {
      if (!isUnusableFile(error)) throw error;
      this.#setAside(messageOf(error));
      return this.#begin(means);
    }
  }

  /** A new file. What is wrong with it is the disk's doing, and may be over the next time. */
  #begin(means: Means): Opened {
    for (let left = NEW_FILE_TRIES; ; left--) {
      try {
        return this.#announced(openFile(this.#path, this.#maxBytes, means));
      } catch (error) {
        if (left <= 1 || !isUnusableFile(error)) throw error;
        this.#setAside(messageOf(error));
      }
    }
  }

  /** A read that failed may pass the second time, and setting a whole buffer aside for it would be a waste. */
  #openTwice(means: Means): Opened {
    const torn = keepTornLog(this.#path, means);
    try {
      return openFile(this.#path, this.#maxBytes, means, torn);
    } catch (error) {
      if (!isUnusableFile(error)) throw error;
    }
    return openFile(this.#path, this.#maxBytes, means, torn);
  }

  #setAside(problem: string): void {
    guardWritable(this.#path, () => {
      // What has come since in its place is empty: kept, such files would multiply with every try.
      if (this.#ruin !== undefined) removeFile(this.#path);
      else this.#ruin = { file: setAside(this.#path, this.#means.now()), problem };
    });
  }

  /** The new file remembers what was set aside for it. */
  #announced(opened: Opened): Opened {
    const ruin = this.#ruin;
    if (ruin === undefined) return opened;
    try {
      writeProgress(opened.store.db, progressOf(ruin));
    } catch (error) {
      opened.store.close();
      throw error;
    }
    this.#ruin = undefined;
    return { ...opened, ruin };
  }
}
