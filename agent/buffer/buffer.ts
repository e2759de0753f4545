/**
 * The durable queue between the sensors and the cloud.
 *
 * Invariants, each with a test that names it (test/buffer):
 *  1. A sender is told `stored` only after the log that holds its reading's transaction was synced (`fdatasync` of our own
 *     descriptor, beside the event loop). After a failed sync nobody is told anything until the file was closed, opened again,
 *     checked, and its log moved.
 *  2. `seq` is 1, 2, 3, … within an epoch, without gaps, in the order of `append`. None that may have left is given to another
 *     reading: a group is leased, announced and counted only after its sync; and if the log may have lost readings, a new epoch
 *     begins.
 *  3. received = buffered + shipped + rejected + dropped, in the same transaction as the readings themselves.
 *  4. A leased group is not leased again until it is settled `again` or the file is reopened, from whichever end; it is deleted
 *     only when it is settled, or dropped by `drop_oldest` if nothing else is left.
 *  5. A power cut loses nothing acknowledged. What it brings back (groups delivered but not yet deleted) is delivered
 *     again, with the same identity.
 *  6. A start takes a time that does not depend on the backlog. A file that can't be used is quarantined, and what SQLite can
 *     read of it comes back in small steps after the start, as it was acknowledged or not at all. It is deleted only if every
 *     seq from its first to its last was there.
 *  7. One owner: a second process is refused for as long as the first is alive, even if the lock file was deleted; an owner
 *     that lost it all the same writes nothing more. Nothing is acknowledged into a file that is no longer in its place.
 *  8. Limits: the file `maxBytes`, the file and quarantined ones twice that (`quotaBeside`), the log `LOG_BYTES` (a reader may
 *     make it longer), the reject lane `rejectsMaxBytes` and a quarter of the file, un-acknowledged readings
 *     `MAX_WAITING_BYTES`, groups out `MAX_LEASED_GROUPS`; memory does not grow with the backlog. For want of room leave, in
 *     this order: rejects beyond their lane, what was delivered, and only then, with `drop_oldest`, the oldest groups.
 *  9. Whoever ships is called after every sync that made groups ready, and whenever the buffer stores again after trouble:
 *     no group waits for a call that never comes.
 *
 * Why our own sync is enough. SQLite writes a transaction's pages to the log at COMMIT and syncs nothing (`synchronous=NORMAL`);
 * after a power cut it takes from the log the longest run of whole transactions whose checksums hold. So a transaction
 * survives once the log was synced up to its end, by whichever descriptor. Before a log is begun again from its start, SQLite
 * has synced log and file (the checkpoint), and it syncs the log's new header before the first page behind it. These three
 * syncs are on the event loop, once in some three thousand pages of log: SQLite does them within one call. In this process
 * nothing but SQLite opens `buffer.db`, its `-shm` and the lock file, for closing another descriptor of those would drop
 * SQLite's locks; the log carries none.
 */

import type { Rejection } from "../contract/rejection.ts";
import { codeOf } from "../errors.ts";
import { Ballast } from "./ballast.ts";
import { CommitRule } from "./commit-rule.ts";
import { Condition } from "./condition.ts";
import { Engine } from "./engine.ts";
import { BufferFile, type FileParts } from "./file.ts";
import { Leases } from "./leases.ts";
import { lendGroups } from "./lending.ts";
import { closedFault, waitingFault } from "./messages.ts";
import { MAX_WAITING_BYTES, MAX_WAITING_MESSAGES, PendingQueue } from "./pending.ts";
import { Salvager } from "./salvage/salvager.ts";
import { Schedule } from "./schedule.ts";
import type { State } from "./state.ts";
import { accountsNow, statusOf } from "./status.ts";
import { StorageState, type StoringState } from "./storage-state.ts";
import type { Timers } from "./timers.ts";
import type {
  Accounts,
  BufferSettings,
  BufferStatus,
  Group,
  ReadingBuffer,
  Settlement,
  Stored,
} from "./types.ts";

/** Bytes a message needs at most besides its own. */
const TAIL_BYTES = 512;

export interface BufferParts extends Omit<FileParts, "path"> {
  settings: BufferSettings;
  timers: Timers;
  now(): number;
  freeBytes(path: string): number;
}

export class DurableBuffer implements ReadingBuffer {
  readonly #settings: BufferSettings;
  readonly #parts: BufferParts;
  readonly #file: BufferFile;
  readonly #pending: PendingQueue;
  readonly #leases = new Leases();
  readonly #storage: StorageState;
  readonly #condition: Condition;
  readonly #rule: CommitRule;
  readonly #engine: Engine;
  readonly #salvager: Salvager;
  readonly #schedule: Schedule;
  readonly #ready: (() => void)[] = [];
  /** A file that is no longer in its place: its connection, and why what lies there must be quarantined. */
  #detached: ReturnType<BufferFile["detach"]>;
  #closed = false;

  constructor(parts: BufferParts) {
    const { settings, log, timers } = parts;
    const { state } = parts.opened;
    const { path, maxBytes } = settings;
    const rejectsMaxBytes = Math.min(settings.rejectsMaxBytes, Math.floor(maxBytes / 4));
    this.#parts = parts;
    this.#settings = settings;

    this.#file = new BufferFile({ ...parts, path });
    const nextSeq = state.lastKey - state.epochBase + 1;
    this.#pending = new PendingQueue(settings.gateway, state.epoch, nextSeq, rejectsMaxBytes);
    this.#rule = new CommitRule(settings.lingerMs);
    this.#storage = new StorageState(log);
    const ballast = new Ballast(`${path}.ballast`, settings.ballastBytes, parts.freeBytes);
    this.#condition = new Condition(settings, this.#storage, ballast);

    this.#engine = new Engine({
      file: this.#file,
      state,
      pending: this.#pending,
      leases: this.#leases,
      condition: this.#condition,
      rule: this.#rule,
      timers,
      log,
      rejectsMaxBytes,
      ready: () => this.#schedule.followUp(),
      broke: (error) => this.#broke(error),
      reopen: (known) => this.#reopen(known),
    });
    const monotonic = () => timers.nowMs();
    this.#salvager = new Salvager({ path, maxBytes, rejectsMaxBytes, log, now: parts.now, monotonic });
    this.#schedule = new Schedule({
      engine: this.#engine,
      file: this.#file,
      pending: this.#pending,
      leases: this.#leases,
      condition: this.#condition,
      rule: this.#rule,
      salvager: this.#salvager,
      ballast,
      timers,
      log,
      announce: () => this.#announce(),
    });
    this.#storage.onState((now) => {
      if (now === "storing") this.#schedule.announceSoon();
    });
  }

  /** Takes up what an earlier process left; `vanished` if it left traces and no buffer. */
  start(vanished: boolean): void {
    const { path } = this.#settings;
    const { note, quarantined } = this.#parts.opened;
    if (vanished)
      this.#salvager.tell("error", "The buffer that was here is gone or empty; a new one was begun.", {
        path,
      });
    if (note !== undefined) this.#salvager.tell(note.level, note.sentence, { path });
    this.#salvager.start(quarantined);
    this.#schedule.start();
  }

  get epoch(): string {
    return this.#engine.synced.epoch;
  }

  get window(): number {
    return this.#condition.isBlocked ? this.#pending.blockedWindow : Number.POSITIVE_INFINITY;
  }

  append(head: Uint8Array, turbine: string, receivedMs: number, marks: number, stored: Stored): void {
    if (!this.#takes(head.length, stored)) return;
    this.#pending.append(head, turbine, receivedMs, marks, stored);
    this.#schedule.arrived(stored);
  }

  reject(rejection: Rejection, receivedMs: number, stored: Stored): void {
    if (!this.#takes(rejection.payload.length, stored)) return;
    this.#pending.reject(rejection, receivedMs, stored);
    this.#schedule.arrived(stored);
  }

  flush(): void {
    if (this.#closed) return;
    this.#engine.commit(true);
    this.#engine.syncNow();
    this.#schedule.followUp();
  }

  lease(maxBytes: number, end: "oldest" | "newest" = "oldest"): Group[] {
    const { store } = this.#file;
    if (this.#closed || store === undefined) return [];
    try {
      const { log } = this.#parts;
      const groups = lendGroups(store, this.#leases, this.#engine.synced, { maxBytes, end, log });
      this.#condition.succeeded("lease");
      this.#schedule.settled();
      return groups;
    } catch (error) {
      this.#engine.failed(error, "lease");
      return [];
    }
  }

  settle(groupKey: number, settlement: Settlement): void {
    if (!this.#leases.settle(groupKey, settlement)) {
      this.#parts.log.debug(
        { groupKey },
        "A group was settled that is not out (dropped, or settled before).",
      );
    } else if (settlement.outcome !== "again") this.#schedule.settled();
  }

  onReady(listener: () => void): void {
    this.#ready.push(listener);
  }

  onState(listener: (state: StoringState) => void): void {
    this.#storage.onState(listener);
  }

  accounts(): Accounts {
    return accountsNow(this.#engine.synced, this.#leases);
  }

  status(): BufferStatus {
    return statusOf({
      maxBytes: this.#settings.maxBytes,
      file: this.#file,
      storage: this.#storage,
      engine: this.#engine,
      leases: this.#leases,
      salvager: this.#salvager,
      log: this.#parts.log,
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#schedule.stop();
    this.#salvager.stop();
    for (const stored of this.#pending.abandon()) stored(closedFault());
    this.#engine.close();
    this.#parts.lock.release();
  }

  /** False if a message of `bytes` can't even wait; its sender is told. */
  #takes(bytes: number, stored: Stored): boolean {
    const { messages, bytes: held } = this.#engine.waiting;
    const hasRoom = held + bytes + TAIL_BYTES <= MAX_WAITING_BYTES && messages < MAX_WAITING_MESSAGES;
    if (!this.#closed && hasRoom) return true;
    stored(this.#closed ? closedFault() : waitingFault(this.#storage.problem));
    return false;
  }

  #broke(error: unknown): void {
    if (codeOf(error) === "buffer.replaced") this.#detach();
    this.#schedule.retryLater();
  }

  /** Called from a sync's callback, where nobody would catch anything: what fails here is one more failure of the file. */
  #detach(): void {
    try {
      this.#detached ??= this.#file.detach();
      // Readings that nobody was told of are stored once more in the new file.
      this.#detached?.db.prepare("DELETE FROM groups WHERE key > ?").run(this.#engine.synced.lastKey);
    } catch (error) {
      this.#condition.failed(error, "change", this.#file.store);
    }
  }

  #reopen(known: Readonly<State>): { state: State; foundCommits: number } | undefined {
    try {
      const opened = this.#file.reopen(known, this.#detached?.problem ?? this.#condition.damage);
      const { note, quarantined } = opened;
      this.#condition.reopened(quarantined !== undefined);
      if (note !== undefined) this.#salvager.tell(note.level, note.sentence, { path: this.#settings.path });
      this.#salvager.start(quarantined);
      if (this.#detached !== undefined) this.#salvager.startDetached(this.#detached.db, quarantined?.file);
      this.#detached = undefined;
      return opened;
    } catch (error) {
      this.#condition.reopenFailed(error);
      this.#schedule.retryLater();
      return undefined;
    }
  }

  #announce(): void {
    for (const listener of this.#ready) listener();
  }
}
