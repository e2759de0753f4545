/** Opens the buffer's file again and again while an agent runs, and quarantines it if it can't be used. */

import { messageOf } from "../errors.ts";
import { isUnusableFile } from "./failure.ts";
import { guardWritable, type Means, type Opened, openFile } from "./open-file.ts";
import { newProgress, writeProgress } from "./salvage/progress.ts";
import { quarantine, removeFile } from "./salvage/quarantine.ts";
import type { State } from "./state.ts";

/** How often a file is opened in one opening: the one that is there twice, then new ones. */
const TRIES = 7;

/** A file that was quarantined, and why. */
export interface Quarantined {
  file: string;
  problem: string;
}

export interface Reopened extends Opened {
  quarantined?: Quarantined;
  /** The file is in use: what was quarantined for it is known to it. Until then a further opening tells it again. */
  taken?(): void;
}

export class Opener {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #means: Means;
  /** Quarantined by an opening that then failed: the new file does not know of it yet, and has held no reading. */
  #quarantined: Quarantined | undefined;

  constructor(path: string, maxBytes: number, means: Means) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#means = means;
  }

  /**
   * Opens the file, makes it if there is none, quarantines it and makes a new one if it is damaged (or if `problem` tells
   * that it is). `known`: what this process knows of it. Throws `buffer.unwritable`, `buffer.foreign`, `buffer.newer`,
   * `buffer.not_durable`, or SQLite's error if the disk refuses; what was quarantined by then is not quarantined again.
   */
  open(known?: Readonly<State>, problem?: string): Reopened {
    const means = known === undefined ? this.#means : { ...this.#means, known };
    if (problem !== undefined) this.#quarantine(problem);
    for (let tries = 1; ; tries++) {
      try {
        return this.#announced(openFile(this.#path, this.#maxBytes, means));
      } catch (error) {
        if (!isUnusableFile(error) || tries === TRIES) throw error;
        // A read that failed may pass the second time, and quarantining a whole buffer for it would be a waste. What is wrong
        // with a new file is the disk's doing, and may be over the next time.
        if (tries > 1) this.#quarantine(messageOf(error));
      }
    }
  }

  #quarantine(problem: string): void {
    guardWritable(this.#path, () => {
      // What has come since in its place is empty: kept, such files would multiply with every try.
      if (this.#quarantined !== undefined) removeFile(this.#path);
      else this.#quarantined = { file: quarantine(this.#path, this.#means.now()), problem };
    });
  }

  /** The new file remembers what was quarantined for it. */
  #announced(opened: Opened): Reopened {
    const quarantined = this.#quarantined;
    if (quarantined === undefined) return opened;
    try {
      writeProgress(opened.store.db, newProgress(quarantined.file, quarantined.problem));
    } catch (error) {
      opened.store.close();
      throw error;
    }
    const taken = () => {
      this.#quarantined = undefined;
    };
    return { ...opened, quarantined, taken };
  }
}
