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
 * Its parts:
 *
 *   schedule    when something is done: one next wake-up (commit-rule)
 *   engine      what is done: transactions, syncs, telling senders; the only writer (transaction, store)
 *   condition   whether it can store, why not, and when it is worth trying again (failure, ballast)
 *   pending     what came and is not told yet (group-writer, batch, gzip)
 *   leases      who has which group
 *   file        the open file, its log and its lock; opens it again (open-file, connection, log-sync, lock)
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
import { Fault } from "../errors.ts";
import { Ballast } from "./ballast.ts";
import { CommitRule } from "./commit-rule.ts";
import { Condition, type StoringState } from "./condition.ts";
import { Engine } from "./engine.ts";
import { BufferFile, type FileParts } from "./file.ts";
import { Leases, lendGroups } from "./leases.ts";
import type { Reopened } from "./open-file.ts";
import type { Parts } from "./parts.ts";
import { MAX_WAITING_BYTES, MAX_WAITING_MESSAGES, PendingQueue } from "./pending.ts";
import { Salvager } from "./salvage/salvager.ts";
import { Schedule } from "./schedule.ts";
import { accountsNow, statusOf } from "./status.ts";
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
  readonly #parts: Parts;
  readonly #engine: Engine;
  readonly #schedule: Schedule;
  readonly #opened: Reopened;
  readonly #ready: (() => void)[] = [];
  #closed = false;

  constructor(parts: BufferParts) {
    const { log, timers, now } = parts;
    const { path, maxBytes, rejectsMaxBytes: laneBytes } = parts.settings;
    const rejectsMaxBytes = Math.min(laneBytes, Math.floor(maxBytes / 4));
    const settings = { ...parts.settings, rejectsMaxBytes };
    const { state } = parts.opened;
    const ballast = new Ballast(`${path}.ballast`, settings.ballastBytes, parts.freeBytes);
    const monotonic = () => timers.nowMs();
    this.#parts = {
      settings,
      file: new BufferFile({ ...parts, path }),
      pending: new PendingQueue(settings, state),
      leases: new Leases(),
      condition: new Condition(settings, ballast, timers, log),
      rule: new CommitRule(settings.lingerMs),
      salvager: new Salvager({ path, maxBytes, rejectsMaxBytes, log, now, monotonic }),
      timers,
      log,
    };
    this.#engine = new Engine(this.#parts, state, () => this.#schedule.run());
    this.#schedule = new Schedule(this.#parts, this.#engine, ballast, () => {
      for (const listener of this.#ready) listener();
    });
    this.#opened = parts.opened;
  }

  /** Takes up what an earlier process left. */
  start(): void {
    this.#parts.salvager.opened(this.#opened);
    this.#schedule.start();
  }

  get epoch(): string {
    return this.#engine.synced.epoch;
  }

  get window(): number {
    const { condition, pending } = this.#parts;
    return condition.isBlocked ? pending.blockedWindow : Number.POSITIVE_INFINITY;
  }

  append(head: Uint8Array, turbine: string, receivedMs: number, marks: number, stored: Stored): void {
    if (!this.#takes(head.length, stored)) return;
    this.#parts.pending.append(head, turbine, receivedMs, marks, stored);
    this.#schedule.arrived(stored);
  }

  reject(rejection: Rejection, receivedMs: number, stored: Stored): void {
    if (!this.#takes(rejection.payload.length, stored)) return;
    this.#parts.pending.reject(rejection, receivedMs, stored);
    this.#schedule.arrived(stored);
  }

  flush(): void {
    if (this.#closed) return;
    this.#engine.commit(true);
    this.#engine.syncNow();
    // Commits nothing: what is committed after this would be told of later, or, when the buffer closes, to nobody.
    this.#schedule.followUp();
  }

  lease(maxBytes: number, end: "oldest" | "newest" = "oldest"): Group[] {
    const { file, leases, condition, log } = this.#parts;
    if (this.#closed || file.store === undefined) return [];
    try {
      const groups = lendGroups(file.store, leases, this.#engine.synced, { maxBytes, end, log });
      condition.succeeded("lease");
      // Damaged ones are settled by that.
      this.#schedule.settled();
      return groups;
    } catch (error) {
      this.#engine.failed(error, "lease");
      this.#schedule.plan();
      return [];
    }
  }

  settle(groupKey: number, settlement: Settlement): void {
    const { leases, log } = this.#parts;
    if (!leases.settle(groupKey, settlement)) {
      log.debug({ groupKey }, "A group was settled that is not out (dropped, or settled before).");
      // A group of another file may have waited for that.
      this.#schedule.lookAgain();
    } else if (settlement.outcome !== "again") this.#schedule.settled();
  }

  onReady(listener: () => void): void {
    this.#ready.push(listener);
  }

  onState(listener: (state: StoringState) => void): void {
    this.#parts.condition.onState(listener);
  }

  accounts(): Accounts {
    return accountsNow(this.#engine.synced, this.#parts.leases);
  }

  status(): BufferStatus {
    return statusOf(this.#parts, this.#engine);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    this.#schedule.stop();
    this.#parts.salvager.stop();
    for (const stored of [...this.#engine.abandon(), ...this.#parts.pending.abandon()]) {
      try {
        stored(closedFault());
      } catch (error) {
        this.#parts.log.error({ err: error }, "A sender could not be told that the buffer is closed.");
      }
    }
    this.#engine.close();
  }

  /** False if a message of `bytes` can't even wait; its sender is told, keeps the reading and sends it again. */
  #takes(bytes: number, stored: Stored): boolean {
    const { messages, bytes: held } = this.#parts.pending;
    const hasRoom = held + bytes + TAIL_BYTES <= MAX_WAITING_BYTES && messages < MAX_WAITING_MESSAGES;
    if (!this.#closed && hasRoom) return true;
    stored(this.#closed ? closedFault() : waitingFault(this.#parts.condition.problem));
    return false;
  }
}

function closedFault(): Fault {
  return new Fault("buffer.closed", "the buffer is closed", { retry: true });
}

/** `problem`: why the disk takes nothing, if it is known. */
function waitingFault(problem = "it is slow"): Fault {
  return new Fault("buffer.waiting", `too many readings wait for the disk (${problem})`, {
    hint: "Senders keep their readings and send them again.",
    retry: true,
  });
}
