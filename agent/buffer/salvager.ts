/** Brings back what can be read of files that were set aside, in small steps beside the ordinary work. */

import { dirname, join } from "node:path";
import type { Logger } from "pino";
import { codeOf, messageOf } from "../errors.ts";
import { Alarm } from "./alarm.ts";
import { type AsideFile, lookAside, prune, quotaBeside, unreadFiles, writeReport } from "./aside.ts";
import type { Committer } from "./committer.ts";
import type { Disk } from "./disk.ts";
import { reportOn } from "./salvage-report.ts";
import { addSaved, deleteProgress, pagesForSaved, readProgress, writeProgress } from "./salvage-rows.ts";
import { type Found, type Progress, progressOf, type Ruin, SalvageSource } from "./salvage-source.ts";
import type { ReadSectors } from "./sectors.ts";
import { Sieve, type Sifted } from "./sieve.ts";
import type { Store } from "./store.ts";
import type { Timers } from "./timers.ts";
import type { Trouble } from "./trouble.ts";

const STEP_MS = 5;
/** While the buffer is full, or the disk refuses. */
const WAIT_MS = 1000;
/** Pages left to the sensors' next readings, or a sixteenth of a small quota. */
const LEFT_PAGES = 256;
/** How often a file is tried that the disk does not give; then it is the next one's turn, and its own at the next start. */
export const MAX_TRIES = 3;
/** Sentences kept to be shown. */
const MAX_SENTENCES = 50;

export interface SalvagerParts {
  /** The buffer's own file, in whose folder ruins lie, and its quota. */
  path: string;
  maxBytes: number;
  disk: Disk;
  committer: Committer;
  trouble: Trouble;
  rejectsMaxBytes: number;
  log: Logger;
  timers: Timers;
  now(): number;
  readSectors: ReadSectors;
  /** Readings came back into the queue. */
  saved(): void;
}

export class Salvager {
  readonly #parts: SalvagerParts;
  readonly #alarm: Alarm;
  #job: Progress | undefined;
  #source: SalvageSource | undefined;
  #sieve = new Sieve();
  /** In a row, of the file that is being read. */
  #failures = 0;
  /** Files that are not tried again by this process. */
  readonly #putOff = new Set<string>();
  #complained = false;
  /** Files set aside as they were found last. */
  aside: readonly AsideFile[] = [];
  /** Since the process started: what was wrong, and what became of it, as sentences; readings saved. */
  readonly recovered: string[] = [];
  savedReadings = 0;

  constructor(parts: SalvagerParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts, () => this.#run());
  }

  /** Takes up what is unread; `ruin`: what was set aside just now. */
  start(ruin?: Ruin): void {
    if (ruin !== undefined) this.#found(ruin);
    this.#alarm.set(STEP_MS);
  }

  /** There was a buffer here before, and nothing is left of it. */
  vanished(): void {
    const sentence = "The buffer that was here is gone or empty; a new one was begun.";
    this.#say(sentence);
    this.#parts.log.error({ path: this.#parts.path }, sentence);
  }

  stop(): void {
    this.#alarm.stop();
    this.#forget();
  }

  #found(ruin: Ruin): void {
    const { file, problem } = ruin;
    const { log } = this.#parts;
    const sentence =
      ruin.partial === 1
        ? `The buffer is used as it is, but ${problem}; that log is kept as ${file}-wal.`
        : `The buffer could not be used (${problem}); it is kept as ${file}, and a new one was begun.`;
    if (ruin.partial === 1) log.warn({ file, problem }, sentence);
    else log.error({ file, problem }, sentence);
    this.#say(sentence);
    this.#forget();
  }

  #run(): void {
    const { disk, trouble } = this.#parts;
    const { store } = disk;
    if (store === undefined || trouble.isBlocked) {
      this.#alarm.set(WAIT_MS);
      return;
    }
    try {
      this.#job ??= this.#nextJob(store);
      if (this.#job !== undefined) this.#alarm.set(this.#step(store, this.#job) ? STEP_MS : WAIT_MS);
      else this.#tidy(store);
      this.#complained = false;
    } catch (error) {
      this.#forget();
      this.#alarm.set(WAIT_MS);
      this.#complain(error);
    }
  }

  /** The buffer's own file, or the folder, failed. */
  #complain(error: unknown): void {
    if (codeOf(error)?.startsWith("SQLITE_")) this.#parts.committer.failed(error, "change");
    else if (!this.#complained)
      this.#parts.log.warn(
        { err: error },
        "The files set aside can't be looked after now; it is tried again.",
      );
    this.#complained = true;
  }

  #nextJob(store: Store): Progress | undefined {
    const isDue = ({ file }: { file: string }) => !this.#putOff.has(file);
    const known = readProgress(store.db).find(isDue);
    if (known !== undefined) return known;
    const unread = unreadFiles(this.#parts.path).map((file) =>
      progressOf({ file, problem: "unknown, an earlier start set it aside" }),
    );
    return unread.find(isDue);
  }

  /** Reads and stores the next piece; false where that must wait. */
  #step(store: Store, job: Progress): boolean {
    if (job.stage === "done") return this.#finish(job);
    const { committer, rejectsMaxBytes } = this.#parts;
    const found = this.#read(job);
    if (found === undefined) return false;
    // Tried in vain: that is not worth a commit.
    if (found.next.stage === job.stage && found.next.place === job.place && isEmpty(found)) return true;
    const sifted = this.#sieve.sift(found);
    const progress = advance(job, found.next, sifted);
    // What the sensors send meanwhile comes first.
    const left = Math.min(LEFT_PAGES, store.maxPages / 16);
    const hasRoom = pagesForSaved(sifted) + left <= store.roomPages();
    const done =
      hasRoom &&
      committer.change((store, state) => {
        addSaved(store, state, sifted, rejectsMaxBytes);
        writeProgress(store.db, progress);
      });
    if (!done) {
      this.#forget();
      return false;
    }
    this.#job = progress;
    this.#failures = 0;
    this.savedReadings += sifted.readings;
    if (sifted.readings > 0) this.#parts.saved();
    return true;
  }

  #read(job: Progress): Found | undefined {
    const { path, readSectors } = this.#parts;
    try {
      this.#source ??= new SalvageSource(join(dirname(path), job.file), readSectors);
      return this.#source.read(job);
    } catch (error) {
      this.#forget();
      this.#couldNotRead(job, error);
      return undefined;
    }
  }

  #couldNotRead({ file }: Progress, error: unknown): void {
    const { log } = this.#parts;
    this.#failures++;
    if (this.#failures === 1) log.warn({ file, err: error }, `${file} can't be read now; it is tried again.`);
    if (this.#failures < MAX_TRIES) return;
    this.#failures = 0;
    this.#putOff.add(file);
    const sentence = `${file} can't be read (${messageOf(error)}); it is kept as it is, and the next start tries again.`;
    log.error({ file, err: error }, sentence);
    this.#say(sentence);
  }

  #finish(job: Progress): boolean {
    const { path, committer, log, now } = this.#parts;
    const report = reportOn(job, now());
    writeReport(path, report);
    if (!committer.change((store) => deleteProgress(store.db, job.file))) return false;
    this.#forget();
    const { result, at: _at, ...details } = report;
    if (report.complete) log.warn(details, result);
    else log.error(details, result);
    this.#say(result);
    return true;
  }

  /** Deletes what is of no use any more, says what must be kept, and what that leaves the buffer. */
  #tidy(store: Store): void {
    const { path, maxBytes, log } = this.#parts;
    for (const file of prune(path, maxBytes))
      log.warn({ file }, "A file set aside from which all was saved is deleted.");
    this.aside = lookAside(path);
    const quota = quotaBeside(path, maxBytes);
    store.limit(quota);
    const kept = this.aside.filter(({ state }) => state !== "complete");
    if (kept.length === 0) return;
    const bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
    const names = kept.map(({ file }) => file).join(", ");
    const left =
      quota < maxBytes ? ` The buffer makes do with ${quota} bytes until they are moved away.` : "";
    const sentence = `Not all could be saved from ${names}; kept, ${bytes} bytes, until somebody moves them away.${left}`;
    if (this.recovered.includes(sentence)) return;
    log.warn({ kept, quota }, sentence);
    this.#say(sentence);
  }

  #say(sentence: string): void {
    this.recovered.push(sentence);
    if (this.recovered.length > MAX_SENTENCES) this.recovered.shift();
  }

  #forget(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#sieve = new Sieve();
    this.#job = undefined;
  }
}

function isEmpty({ groups, rejects, loose }: Found): boolean {
  return groups.length + rejects.length + loose.length === 0;
}

function advance(job: Progress, next: Partial<Progress>, sifted: Sifted): Progress {
  return {
    ...job,
    ...next,
    readings: job.readings + sifted.readings,
    rejects: job.rejects + sifted.rejects.length,
    lost: job.lost + sifted.lost,
  };
}
