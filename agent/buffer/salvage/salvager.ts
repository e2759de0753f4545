/** Brings back what can be read of quarantined files, in small steps beside the ordinary work. */

import { dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import type { Logger } from "pino";
import { codeOf, messageOf } from "../../errors.ts";
import type { Quarantined, Reopened } from "../open-file.ts";
import type { State } from "../state.ts";
import type { Store } from "../store.ts";
import type { BufferSettings, QuarantinedFile } from "../types.ts";
import { openDamaged } from "./open-damaged.ts";
import {
  addSaved,
  deleteProgress,
  newProgress,
  type Progress,
  pagesForSaved,
  readProgress,
  reportOn,
  writeProgress,
} from "./progress.ts";
import { bytesOf, listQuarantined, prune, quarantinedFiles, quotaBeside, writeReport } from "./quarantine.ts";
import { type Piece, readPiece } from "./reader.ts";

const STEP_MS = 5;
/** While the buffer is full, or the disk refuses. */
const WAIT_MS = 1000;
/** While quarantined files take a part of the quota, or can't be looked after: somebody may move them away. */
const LOOK_AGAIN_MS = 60_000;
/** Room left to the sensors' next readings, or a sixteenth of a small quota, pages. */
const LEFT_PAGES = 1024;
/** How often a file is tried that the disk does not give; then it is the next one's turn, and its own at the next start. */
export const MAX_TRIES = 3;
const DETACHED_PROBLEM = "it was deleted or replaced while it was in use";
const UNKNOWN_PROBLEM = "unknown, an earlier start moved it away";
/** Sentences kept to be shown. */
const MAX_SENTENCES = 50;

/** What the salvager needs of the queue. */
export interface SalvageTarget {
  /** Undefined while the file can't be used, or the disk takes nothing. */
  readonly store: Store | undefined;
  /** True while new readings wait for room: all that is made is theirs. */
  readonly isBlocked: boolean;
  /** Runs `work` in a transaction of its own; false if the disk refuses, which is then dealt with. */
  change(work: (store: Store, state: State) => void): boolean;
  failed(error: unknown): void;
  /** As far as is known to be on the disk. */
  readonly synced: Readonly<State>;
}

export interface SalvagerParts extends Pick<BufferSettings, "path" | "maxBytes" | "rejectsMaxBytes"> {
  log: Logger;
  /** ms since 1970. */
  now(): number;
  /** ms, never set back. */
  monotonic(): number;
}

export class Salvager {
  readonly #parts: SalvagerParts;
  /** All that is to be done, a step at a time; gives how long to wait before the next one, ms. */
  #steps: Generator<number, never> | undefined;
  /** The connection to the file that is being read. */
  #db: Database | undefined;
  /** Files that were deleted while we had them open, and the connections through which they can still be read. */
  readonly #detached = new Map<string, Database>();
  /** By file, how often it could not be read. */
  readonly #failures = new Map<string, number>();
  /** When there is something to do next, ms of `monotonic`. */
  dueMs = Number.POSITIVE_INFINITY;
  /** Quarantined files as they were found last. */
  files: readonly QuarantinedFile[] = [];
  /** Since the process started: what was wrong, and what became of it, as sentences; readings saved. */
  readonly recovered: string[] = [];
  savedReadings = 0;

  constructor(parts: SalvagerParts) {
    this.#parts = parts;
  }

  /** Tells what is known of a file that was opened, and takes up what was quarantined for it. */
  opened({ note, quarantined }: Pick<Reopened, "note" | "quarantined">): void {
    if (note !== undefined) this.tell(note.level, note.sentence, { path: this.#parts.path });
    this.start(quarantined);
  }

  /** Takes up what is unread; `quarantined`: what was moved away just now. */
  start(quarantined?: Quarantined): void {
    if (quarantined !== undefined) {
      const { file, problem } = quarantined;
      const sentence = `The buffer could not be used (${problem}); it is kept as ${file}, and a new one was begun.`;
      this.tell("error", sentence, { file, problem });
    }
    this.#begin();
    this.dueMs = this.#parts.monotonic() + STEP_MS;
  }

  /** Reads a file that is no longer in its place; `name`: its name now, undefined if it has none. */
  startDetached(db: Database, name: string | undefined): void {
    const file = name ?? `the deleted file of ${new Date(this.#parts.now()).toISOString()}`;
    this.#detached.set(file, db);
    this.start();
  }

  stop(): void {
    this.#begin();
    for (const db of this.#detached.values()) db.close();
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  /** Tells the log, and whoever looks at the status. */
  tell(level: "info" | "warn" | "error", sentence: string, details: object): void {
    this.#parts.log[level](details, sentence);
    this.recovered.push(sentence);
    if (this.recovered.length > MAX_SENTENCES) this.recovered.shift();
  }

  /** One step. */
  run(target: SalvageTarget): void {
    const { store } = target;
    let waitMs = WAIT_MS;
    try {
      if (store !== undefined) {
        this.#steps ??= this.#work(target, store);
        waitMs = this.#steps.next().value;
      }
    } catch (error) {
      this.#begin();
      // The buffer's own file failed, or the folder.
      if (codeOf(error)?.startsWith("SQLITE_")) target.failed(error);
      else {
        const sentence = "The quarantined files can't be looked after now; it is tried again.";
        this.#parts.log.warn({ err: error }, sentence);
        waitMs = LOOK_AGAIN_MS;
      }
    }
    this.dueMs = this.#parts.monotonic() + waitMs;
  }

  /** From the start again, where the new file says how far it has come. */
  #begin(): void {
    this.#steps = undefined;
    this.#closeFile();
  }

  *#work(target: SalvageTarget, store: Store): Generator<number, never> {
    for (;;) {
      const job = this.#nextJob(store);
      yield job === undefined ? this.#tidy(store) : yield* this.#salvage(job, target, store);
      this.#closeFile();
    }
  }

  #nextJob(store: Store): Progress | undefined {
    const { path } = this.#parts;
    const begun = readProgress(store.db);
    const unread = listQuarantined(path).filter(({ state }) => state === "unread");
    const files = [...this.#detached.keys(), ...[...begun, ...unread].map(({ file }) => file)];
    const file = files.find((each) => (this.#failures.get(each) ?? 0) < MAX_TRIES);
    if (file === undefined) return undefined;
    const known = begun.find((each) => each.file === file);
    const isDetached = this.#detached.has(file);
    if (known === undefined) return newProgress(file, isDetached ? DETACHED_PROBLEM : UNKNOWN_PROBLEM);
    // Somebody has moved it away, or it was a deleted file that an earlier process read.
    const isGone = !isDetached && !quarantinedFiles(path).includes(file);
    return isGone ? { ...known, stage: "done" } : known;
  }

  *#salvage(begun: Progress, target: SalvageTarget, store: Store): Generator<number, number> {
    let job = begun;
    let savedKey = Number.NEGATIVE_INFINITY;
    while (job.stage !== "done") {
      const piece = this.#read(job);
      if (piece === undefined) return WAIT_MS;
      const save = (file: Store, state: State): void => {
        addSaved(file, state, piece, this.#parts.rejectsMaxBytes);
        savedKey = state.salvagedKey;
        writeProgress(file.db, piece.next);
      };
      // What the sensors send meanwhile comes first.
      const pages = pagesForSaved(piece) + Math.min(LEFT_PAGES, store.maxPages / 16);
      while (target.isBlocked || pages > store.roomPages() || !target.change(save)) yield WAIT_MS;
      this.savedReadings += piece.next.readings - job.readings;
      job = piece.next;
      yield STEP_MS;
    }
    // A file that is told complete may be deleted: what was saved from it is on the disk first.
    while (target.synced.salvagedKey < savedKey) yield WAIT_MS;
    const { path, now } = this.#parts;
    const { file } = job;
    const { result, at, ...details } = reportOn(job, now());
    if (quarantinedFiles(path).includes(file)) writeReport(path, { result, at, ...details });
    while (!target.change(({ db }) => deleteProgress(db, file))) yield WAIT_MS;
    this.#detached.delete(file);
    this.tell(details.complete ? "warn" : "error", result, details);
    return STEP_MS;
  }

  #read(job: Progress): Piece | undefined {
    const { file } = job;
    try {
      this.#db ??= this.#detached.get(file) ?? openDamaged(join(dirname(this.#parts.path), file));
      const piece = readPiece(this.#db, job);
      this.#failures.delete(file);
      return piece;
    } catch (error) {
      const failures = (this.#failures.get(file) ?? 0) + 1;
      this.#failures.set(file, failures);
      if (failures === 1)
        this.#parts.log.warn({ file, err: error }, `${file} can't be read now; it is tried again.`);
      const sentence = `${file} can't be read (${messageOf(error)}); it is kept as it is, and the next start tries again.`;
      if (failures === MAX_TRIES) this.tell("error", sentence, { file, err: error });
      return undefined;
    }
  }

  /** Deletes what is of no use any more, tells what must be kept, and what that leaves the buffer. When to look again, ms. */
  #tidy(store: Store): number {
    const { path, maxBytes, log } = this.#parts;
    for (const file of prune(path, maxBytes))
      log.warn({ file }, "A quarantined file from which all was saved is deleted.");
    this.files = listQuarantined(path);
    const quota = quotaBeside(path, maxBytes);
    store.limit(quota);
    const kept = this.files.filter(({ state }) => state !== "complete");
    if (kept.length > 0) {
      const names = kept.map(({ file }) => file).join(", ");
      const left =
        quota < maxBytes ? ` The buffer is limited to ${quota} bytes until they are moved away.` : "";
      const sentence = `Not all is known to be saved from ${names}; kept, ${bytesOf(kept)} bytes, until you move them away.${left}`;
      if (!this.recovered.includes(sentence)) this.tell("warn", sentence, { kept, quota });
    }
    return quota < maxBytes ? LOOK_AGAIN_MS : Number.POSITIVE_INFINITY;
  }

  /** But for one whose connection is the only way to it. */
  #closeFile(): void {
    if (![...this.#detached.values()].some((db) => db === this.#db)) this.#db?.close();
    this.#db = undefined;
  }
}
