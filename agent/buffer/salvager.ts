/** Brings back what can be read of files that were set aside, in small steps beside the ordinary work. */

import { dirname, join } from "node:path";
import type { Logger } from "pino";
import { messageOf } from "../errors.ts";
import { Alarm } from "./alarm.ts";
import { prune, unreadFiles, writeReport } from "./aside.ts";
import type { Committer } from "./committer.ts";
import type { Disk } from "./disk.ts";
import { addSaved, deleteProgress, pagesForSaved, readProgress, writeProgress } from "./salvage-rows.ts";
import { type Progress, progressOf, type Ruin, SalvageSource } from "./salvage-source.ts";
import { Sieve, type Sifted } from "./sieve.ts";
import type { Store } from "./store.ts";
import type { Timers } from "./timers.ts";
import type { Trouble } from "./trouble.ts";

const STEP_MS = 5;
/** While the buffer is full, or the disk refuses. */
const WAIT_MS = 1000;

export interface SalvagerParts {
  /** The buffer's own file; ruins lie in its folder. */
  path: string;
  disk: Disk;
  committer: Committer;
  trouble: Trouble;
  rejectsMaxBytes: number;
  log: Logger;
  timers: Timers;
  now(): number;
  /** Readings came back into the queue. */
  saved(): void;
}

export class Salvager {
  readonly #parts: SalvagerParts;
  readonly #alarm: Alarm;
  #job: Progress | undefined;
  #source: SalvageSource | undefined;
  #sieve = new Sieve();
  /** Since the process started: what was wrong, and what became of it, as sentences; readings saved. */
  readonly recovered: string[] = [];
  savedReadings = 0;

  constructor(parts: SalvagerParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts, () => this.#run());
  }

  /** Takes up files that an earlier process left unread. */
  start(): void {
    this.#alarm.set(STEP_MS);
  }

  /** There was a buffer here before, and nothing is left of it. */
  vanished(): void {
    const sentence = "The buffer that was here is gone or empty; a new one was begun.";
    this.recovered.push(sentence);
    this.#parts.log.error({ path: this.#parts.path }, sentence);
  }

  /** Something was just set aside: says so, and takes it up. */
  found(ruin: Ruin): void {
    const { file, problem } = ruin;
    const { log } = this.#parts;
    const sentence =
      ruin.partial === 1
        ? `The buffer is used as it is, but ${problem}; that log is kept as ${file}-wal.`
        : `The buffer could not be used (${problem}); it is kept as ${file}, and a new one was begun.`;
    if (ruin.partial === 1) log.warn({ file, problem }, sentence);
    else log.error({ file, problem }, sentence);
    this.recovered.push(sentence);
    this.#forget();
    this.#alarm.set(STEP_MS);
  }

  stop(): void {
    this.#alarm.stop();
    this.#forget();
  }

  #run(): void {
    const { disk, trouble, log } = this.#parts;
    const { store } = disk;
    if (store === undefined || trouble.isBlocked) {
      this.#alarm.set(WAIT_MS);
      return;
    }
    try {
      this.#job ??= this.#nextJob(store);
      if (this.#job === undefined) return;
      this.#alarm.set(this.#step(store, this.#job) ? STEP_MS : WAIT_MS);
    } catch (error) {
      log.warn({ err: error }, "A file set aside can't be read now; it is tried again.");
      this.#forget();
      this.#alarm.set(WAIT_MS);
    }
  }

  #nextJob(store: Store): Progress | undefined {
    const known = readProgress(store.db);
    if (known !== undefined) return known;
    const [file] = unreadFiles(this.#parts.path);
    if (file === undefined) return undefined;
    return progressOf({ file, problem: "unknown, an earlier start set it aside" });
  }

  /** Reads and stores the next piece; false where there is no room for it now. */
  #step(store: Store, job: Progress): boolean {
    if (job.stage === "done") return this.#finish(job);
    const { path, committer, rejectsMaxBytes } = this.#parts;
    this.#source ??= new SalvageSource(join(dirname(path), job.file));
    const found = this.#source.read(job);
    const sifted = this.#sieve.sift(found);
    const progress = advance(job, found.next, sifted);
    // What the sensors send meanwhile comes first.
    const hasRoom = 2 * pagesForSaved(sifted) <= store.roomPages();
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
    this.savedReadings += sifted.readings;
    if (sifted.readings > 0) this.#parts.saved();
    return true;
  }

  #finish(job: Progress): boolean {
    const { path, committer, log, now } = this.#parts;
    const { file, problem, readings, rejects, lost } = job;
    const { sentence, complete } = describe(job);
    writeReport(path, file, {
      file,
      problem,
      readings,
      rejects,
      lost,
      at: new Date(now()).toISOString(),
      result: sentence,
    });
    if (!committer.change((store) => deleteProgress(store.db, file))) return false;
    this.#forget();
    const details = { file, problem, readings, rejects, lost };
    if (complete) log.warn(details, sentence);
    else log.error(details, sentence);
    this.recovered.push(sentence);
    try {
      for (const old of prune(path))
        log.warn({ file: old }, "An older file that was set aside and read is deleted.");
    } catch (error) {
      log.warn({ err: error }, `Older files set aside could not be deleted: ${messageOf(error)}`);
    }
    return true;
  }

  #forget(): void {
    this.#source?.close();
    this.#source = undefined;
    this.#sieve = new Sieve();
    this.#job = undefined;
  }
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

function describe(job: Progress): { sentence: string; complete: boolean } {
  const { file, readings, rejects, lost, stumbled, expected, partial } = job;
  const isKnown = expected >= 0;
  if (partial === 1) {
    const rest = "if it was a power cut, what it lacks was never acknowledged";
    return { sentence: `${readings} readings were saved from ${file}-wal; ${rest}.`, complete: true };
  }
  const complete = lost === 0 && (isKnown ? readings >= expected : stumbled === 0);
  const held = isKnown ? ` of ${Math.max(expected, readings)}` : "";
  const unread =
    isKnown || lost > 0 ? "the rest could not be read" : "what else it held, if anything, can't be told";
  const known = stumbled === 1 ? "all that its accounts tell of" : "nothing in it was lost";
  const rest = complete ? known : unread;
  return {
    sentence: `${readings}${held} readings and ${rejects} rejects were saved from ${file}; ${rest}.`,
    complete,
  };
}
