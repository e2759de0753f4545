/** Brings back what can be read of quarantined files, in small steps beside the ordinary work. */

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Database } from "better-sqlite3";
import type { Logger } from "pino";
import { codeOf, messageOf } from "../../errors.ts";
import type { Quarantined } from "../opener.ts";
import type { State } from "../state.ts";
import type { Store } from "../store.ts";
import type { QuarantinedFile } from "../types.ts";
import { openDamaged } from "./open-damaged.ts";
import {
  addSaved,
  deleteProgress,
  type Found,
  newProgress,
  type Progress,
  pagesForSaved,
  readProgress,
  writeProgress,
} from "./progress.ts";
import { listQuarantined, prune, quotaBeside, unreadFiles, writeReport } from "./quarantine.ts";
import { SalvageReader } from "./reader.ts";
import { reportOn } from "./report.ts";

const STEP_MS = 5;
/** While the buffer is full, or the disk refuses. */
const WAIT_MS = 1000;
/** While quarantined files take a part of the quota: somebody may move them away. */
const LOOK_AGAIN_MS = 60_000;
/** Room left to the sensors' next readings, or a sixteenth of a small quota, pages. */
const LEFT_PAGES = 1024;
/** How often a file is tried that the disk does not give; then it is the next one's turn, and its own at the next start. */
export const MAX_TRIES = 3;
const DETACHED_PROBLEM = "it was deleted or replaced while it was in use";
/** Sentences kept to be shown. */
const MAX_SENTENCES = 50;

/** What the salvager needs of the queue. */
export interface SalvageTarget {
  /** Undefined while the file can't be used or takes nothing. */
  readonly store: Store | undefined;
  /** Runs `work` in a transaction of its own; false if the disk refuses, which is then dealt with. */
  change(work: (store: Store, state: State) => void): boolean;
  failed(error: unknown): void;
}

export interface SalvagerParts {
  /** The buffer's own file, in whose folder quarantined ones lie, and its quota. */
  path: string;
  maxBytes: number;
  rejectsMaxBytes: number;
  log: Logger;
  /** ms since 1970. */
  now(): number;
  /** ms, never set back. */
  monotonic(): number;
}

export class Salvager {
  readonly #parts: SalvagerParts;
  #job: Progress | undefined;
  #db: Database | undefined;
  #reader: SalvageReader | undefined;
  /** A file that was deleted while we had it open, and can still be read through its connection. */
  #detached: { file: string; isThere: boolean; db: Database } | undefined;
  /** In a row, of the file that is being read. */
  #failures = 0;
  /** Files that are not tried again by this process. */
  readonly #putOff = new Set<string>();
  #complained = false;
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

  /** Takes up what is unread; `quarantined`: what was moved away just now. */
  start(quarantined?: Quarantined): void {
    if (quarantined !== undefined) {
      const { file, problem } = quarantined;
      const sentence = `The buffer could not be used (${problem}); it is kept as ${file}, and a new one was begun.`;
      this.tell("error", sentence, { file, problem });
    }
    this.#forget();
    this.#later(STEP_MS);
  }

  /** Reads a file that is no longer in its place; `file`: its name now, undefined if it has none. */
  startDetached(db: Database, file: string | undefined): void {
    const isThere = file !== undefined;
    const name = file ?? `the deleted file of ${new Date(this.#parts.now()).toISOString()}`;
    this.#detached = { file: name, isThere, db };
    this.#forget();
    this.#later(STEP_MS);
  }

  stop(): void {
    this.#detached?.db.close();
    this.#detached = undefined;
    this.#forget();
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  /** Tells the log, and whoever looks at the status. */
  tell(level: "info" | "warn" | "error", sentence: string, details: object): void {
    this.#parts.log[level](details, sentence);
    this.recovered.push(sentence);
    if (this.recovered.length > MAX_SENTENCES) this.recovered.shift();
  }

  /** One step. True if readings came into the queue. */
  run(target: SalvageTarget): boolean {
    const { store } = target;
    if (store === undefined) {
      this.#later(WAIT_MS);
      return false;
    }
    const before = this.savedReadings;
    try {
      this.dueMs = Number.POSITIVE_INFINITY;
      this.#job ??= this.#nextJob(store);
      if (this.#job !== undefined) this.#later(this.#step(target, store, this.#job) ? STEP_MS : WAIT_MS);
      else this.#tidy(store);
      this.#complained = false;
    } catch (error) {
      this.#forget();
      this.#later(WAIT_MS);
      this.#complain(target, error);
    }
    return this.savedReadings > before;
  }

  /** The buffer's own file, or the folder, failed. */
  #complain(target: SalvageTarget, error: unknown): void {
    if (codeOf(error)?.startsWith("SQLITE_")) target.failed(error);
    else if (!this.#complained)
      this.#parts.log.warn(
        { err: error },
        "The quarantined files can't be looked after now; it is tried again.",
      );
    this.#complained = true;
  }

  #nextJob(store: Store): Progress | undefined {
    const isDue = ({ file }: { file: string }) => !this.#putOff.has(file);
    const begun = readProgress(store.db).filter(isDue);
    const detached = this.#detached?.file;
    if (detached !== undefined)
      return begun.find(({ file }) => file === detached) ?? newProgress(detached, DETACHED_PROBLEM);
    const [known] = begun;
    // Somebody has moved it away, or it was a deleted file that an earlier process read.
    if (known !== undefined) return this.#exists(known) ? known : { ...known, stage: "done" };
    const unread = unreadFiles(this.#parts.path).map((file) =>
      newProgress(file, "unknown, an earlier start moved it away"),
    );
    return unread.find(isDue);
  }

  /** Reads and stores the next piece; false if that must wait. */
  #step(target: SalvageTarget, store: Store, job: Progress): boolean {
    if (job.stage === "done") return this.#finish(target, job);
    const found = this.#read(job);
    if (found === undefined) return false;
    // What the sensors send meanwhile comes first.
    const left = Math.min(LEFT_PAGES, store.maxPages / 16);
    const hasRoom = pagesForSaved(found) + left <= store.roomPages();
    const done =
      hasRoom &&
      target.change((file, state) => {
        addSaved(file, state, found, this.#parts.rejectsMaxBytes);
        writeProgress(file.db, found.next);
      });
    if (!done) {
      this.#forget();
      return false;
    }
    this.savedReadings += found.next.readings - job.readings;
    this.#job = found.next;
    this.#failures = 0;
    return true;
  }

  #exists({ file }: Progress): boolean {
    return existsSync(join(dirname(this.#parts.path), file));
  }

  #read(job: Progress): Found | undefined {
    try {
      this.#reader ??= new SalvageReader(this.#open(job));
      return this.#reader.read(job);
    } catch (error) {
      this.#forget();
      this.#couldNotRead(job, error);
      return undefined;
    }
  }

  #open({ file }: Progress): Database {
    if (this.#detached?.file === file) return this.#detached.db;
    this.#db = openDamaged(join(dirname(this.#parts.path), file));
    return this.#db;
  }

  #couldNotRead(job: Progress, error: unknown): void {
    const { file } = job;
    this.#failures++;
    if (this.#failures === 1)
      this.#parts.log.warn({ file, err: error }, `${file} can't be read now; it is tried again.`);
    if (this.#failures < MAX_TRIES) return;
    this.#failures = 0;
    if (isHopeless(error)) {
      // Nothing in it makes sense to SQLite: that is its end, with nothing saved.
      this.#job = { ...job, stage: "done" };
      return;
    }
    this.#putOff.add(file);
    const sentence = `${file} can't be read (${messageOf(error)}); it is kept as it is, and the next start tries again.`;
    this.tell("error", sentence, { file, err: error });
  }

  #finish(target: SalvageTarget, job: Progress): boolean {
    const { path, now } = this.#parts;
    const report = reportOn(job, now());
    const detached = this.#detached?.file === job.file ? this.#detached : undefined;
    if (detached?.isThere ?? this.#exists(job)) writeReport(path, report);
    if (!target.change((store) => deleteProgress(store.db, job.file))) return false;
    detached?.db.close();
    if (detached !== undefined) this.#detached = undefined;
    this.#forget();
    const { result, at: _at, ...details } = report;
    this.tell(report.complete ? "warn" : "error", result, details);
    return true;
  }

  /** Deletes what is of no use any more, tells what must be kept, and what that leaves the buffer. */
  #tidy(store: Store): void {
    const { path, maxBytes, log } = this.#parts;
    for (const file of prune(path, maxBytes))
      log.warn({ file }, "A quarantined file from which all was saved is deleted.");
    this.files = listQuarantined(path);
    const quota = quotaBeside(path, maxBytes);
    store.limit(quota);
    if (quota < maxBytes) this.#later(LOOK_AGAIN_MS);
    const kept = this.files.filter(({ state }) => state !== "complete");
    if (kept.length === 0) return;
    const bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
    const names = kept.map(({ file }) => file).join(", ");
    const left =
      quota < maxBytes ? ` The buffer is limited to ${quota} bytes until they are moved away.` : "";
    const sentence = `Not all is known to be saved from ${names}; kept, ${bytes} bytes, until you move them away.${left}`;
    if (!this.recovered.includes(sentence)) this.tell("warn", sentence, { kept, quota });
  }

  #later(ms: number): void {
    this.dueMs = this.#parts.monotonic() + ms;
  }

  #forget(): void {
    this.#reader = undefined;
    this.#db?.close();
    this.#db = undefined;
    this.#job = undefined;
  }
}

/** True if SQLite finds no buffer in the file; otherwise the disk may give it another time. */
function isHopeless(error: unknown): boolean {
  const code = codeOf(error) ?? "";
  return code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_ERROR";
}
