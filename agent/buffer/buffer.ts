/**
 * The durable queue between the sensors and the cloud.
 *
 * States: storing; full (own quota reached); disk_full (no room on the disk); failed (the disk refuses). The transitions
 * are drawn in `trouble.ts`.
 *
 * Invariants, each with a test that names it (test/buffer):
 *  1. A sender is told `stored` only after the transaction that holds its reading was fsync'd (synchronous=FULL, asserted
 *     before and after the first write of every connection). After a failed fsync nobody is told anything until the file
 *     was closed, opened again, checked, and its log moved.
 *  2. `seq` is 1, 2, 3, … within an epoch, without gaps, in the order of `append`; none that was acknowledged is given again.
 *  3. received = buffered + shipped + rejected + dropped, in the same transaction as the readings themselves.
 *  4. Groups leave oldest first. A leased group is not leased again until it is settled `again` or the file is reopened;
 *     it is deleted only when it is settled, or dropped by `drop_oldest` where nothing else is left.
 *  5. A power cut loses nothing acknowledged. What it brings back (groups delivered but not yet deleted) is delivered
 *     again, with the same identity.
 *  6. A start takes a time that does not depend on the backlog, and needs no sector to be readable. A file that can't be used
 *     is set aside, and what can be read of it comes back in small steps after the start; what the disk does not give is
 *     passed over and counted. It is deleted only when all that was in it was saved.
 *  7. One owner: a second process is refused while the first lives, and not a moment longer, also where somebody deleted the
 *     lock; an owner that lost it all the same writes nothing more.
 *  8. Limits: the file `maxBytes`, the file and those set aside twice that (`quotaBeside`), the log `LARGEST_WAL_BYTES` (a
 *     reader may make it longer), the reject lane `rejectsMaxBytes` and a quarter of the file, un-acknowledged readings
 *     `MAX_WAITING_BYTES`, groups out `MAX_LEASED_GROUPS`; memory does not grow with the backlog. For want of room leave, in
 *     this order: rejects beyond their lane, what was delivered, and only then, with `drop_oldest`, the oldest groups.
 *  9. Whoever ships is called after every commit that made groups ready, and whenever the buffer stores again after trouble:
 *     no group waits for a call that never comes.
 */

import type { Logger } from "pino";
import type { Rejection } from "../contract/rejection.ts";
import { Ballast } from "./ballast.ts";
import type { Batch } from "./batch.ts";
import { CommitClock } from "./commit-clock.ts";
import { Committer } from "./committer.ts";
import { Disk, type Reopen } from "./disk.ts";
import { Health, type StoringState } from "./health.ts";
import { Intake } from "./intake.ts";
import { Leases } from "./leases.ts";
import { Lender } from "./lender.ts";
import type { OwnerLock } from "./lock.ts";
import type { Opened } from "./open-store.ts";
import { closedFault, waitingFault } from "./refusals.ts";
import { Retry } from "./retry.ts";
import { Salvager } from "./salvager.ts";
import type { ReadSectors } from "./sectors.ts";
import { Settling } from "./settling.ts";
import { accountsNow, statusOf } from "./status.ts";
import type { Timers } from "./timers.ts";
import { Trouble } from "./trouble.ts";
import type {
  Accounts,
  BufferSettings,
  BufferStatus,
  Group,
  ReadingBuffer,
  Settlement,
  Stored,
} from "./types.ts";
import { Upkeep } from "./upkeep.ts";

/** Bytes a message needs at most besides its own. */
const TAIL_BYTES = 512;

export interface BufferParts {
  settings: BufferSettings;
  lock: OwnerLock;
  opened: Opened;
  reopen: Reopen;
  log: Logger;
  timers: Timers;
  now(): number;
  freeBytes(path: string): number;
  readSectors: ReadSectors;
}

export class DurableBuffer implements ReadingBuffer {
  readonly #settings: BufferSettings;
  readonly #parts: BufferParts;
  readonly #disk: Disk;
  readonly #intake: Intake;
  readonly #leases = new Leases();
  readonly #health: Health;
  readonly #trouble: Trouble;
  readonly #clock: CommitClock;
  readonly #committer: Committer;
  readonly #lender: Lender;
  readonly #upkeep: Upkeep;
  readonly #salvager: Salvager;
  readonly #settling: Settling;
  readonly #retry: Retry;
  readonly #ready: (() => void)[] = [];
  readonly #rejectsMaxBytes: number;
  /** What could not be leased before can be now. */
  #wakes = false;
  #closed = false;

  constructor(parts: BufferParts) {
    const { settings, opened, log } = parts;
    const { state } = opened;
    this.#parts = parts;
    this.#settings = settings;
    this.#rejectsMaxBytes = Math.min(settings.rejectsMaxBytes, Math.floor(settings.maxBytes / 4));

    this.#disk = new Disk(opened, parts.reopen, parts.lock, log);
    const nextSeq = state.lastKey - state.epochBase + 1;
    this.#intake = new Intake(settings.gateway, state.epoch, nextSeq, this.#rejectsMaxBytes);
    this.#health = new Health(log);
    const ballast = new Ballast(`${settings.path}.ballast`, settings.ballastBytes, parts.freeBytes);
    this.#trouble = new Trouble({
      settings,
      disk: this.#disk,
      health: this.#health,
      ballast,
      reopened: (ruin) => this.#salvager.start(ruin),
    });
    this.#committer = new Committer({
      disk: this.#disk,
      intake: this.#intake,
      leases: this.#leases,
      trouble: this.#trouble,
      rejectsMaxBytes: this.#rejectsMaxBytes,
      log,
      committed: (batch) => this.#committed(batch),
    });

    this.#health.onState((state) => {
      if (state === "storing") this.#wakes = true;
      else this.#retryLater();
    });
    this.#lender = new Lender({
      disk: this.#disk,
      leases: this.#leases,
      committer: this.#committer,
      trouble: this.#trouble,
      rejectsMaxBytes: this.#rejectsMaxBytes,
      log,
    });

    const run = () => this.flush();
    this.#clock = new CommitClock(parts, settings.lingerMs, () => this.#run(this.#settling.isDue));
    this.#settling = new Settling(parts, this.#leases, run);
    this.#retry = new Retry(parts, run);
    this.#salvager = new Salvager({
      ...parts,
      path: settings.path,
      maxBytes: settings.maxBytes,
      disk: this.#disk,
      committer: this.#committer,
      trouble: this.#trouble,
      rejectsMaxBytes: this.#rejectsMaxBytes,
      saved: () => this.#announce(),
    });
    this.#upkeep = new Upkeep({
      ...parts,
      disk: this.#disk,
      health: this.#health,
      ballast,
      committer: this.#committer,
    });
  }

  /** Takes up what an earlier process left; `vanished` where it left traces and no buffer. */
  start(vanished: boolean): void {
    if (vanished) this.#salvager.vanished();
    this.#salvager.start(this.#parts.opened.ruin);
    this.#upkeep.start();
  }

  get epoch(): string {
    return this.#disk.state.epoch;
  }

  get window(): number {
    return this.#trouble.isBlocked ? this.#intake.blockedWindow : Number.POSITIVE_INFINITY;
  }

  append(head: Uint8Array, turbine: string, receivedMs: number, marks: number, stored: Stored): void {
    if (!this.#takes(head.length, stored)) return;
    this.#intake.append(head, turbine, receivedMs, marks, stored);
    this.#arrived();
  }

  reject(rejection: Rejection, receivedMs: number, stored: Stored): void {
    if (!this.#takes(rejection.payload.length, stored)) return;
    this.#intake.reject(rejection, receivedMs, stored);
    this.#arrived();
  }

  flush(): void {
    this.#run(true);
  }

  lease(maxBytes: number): Group[] {
    return this.#closed ? [] : this.#lender.lease(maxBytes);
  }

  settle(groupKey: number, settlement: Settlement): void {
    if (!this.#leases.settle(groupKey, settlement)) {
      this.#parts.log.debug(
        { groupKey },
        "A group was settled that is not out (dropped, or settled before).",
      );
      return;
    }
    if (settlement.outcome === "again") return;
    this.#settling.added(this.#trouble.isBlocked);
  }

  onReady(listener: () => void): void {
    this.#ready.push(listener);
  }

  onState(listener: (state: StoringState) => void): void {
    this.#health.onState(listener);
  }

  accounts(): Accounts {
    return accountsNow(this.#disk.state, this.#leases);
  }

  status(): BufferStatus {
    return statusOf({
      maxBytes: this.#settings.maxBytes,
      disk: this.#disk,
      health: this.#health,
      committer: this.#committer,
      intake: this.#intake,
      leases: this.#leases,
      salvager: this.#salvager,
      log: this.#parts.log,
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.flush();
    this.#closed = true;
    for (const alarm of [this.#clock, this.#settling, this.#retry, this.#upkeep, this.#salvager])
      alarm.stop();
    for (const stored of this.#intake.abandon()) stored(closedFault());
    this.#committer.writeAccounts();
    this.#disk.close();
    this.#parts.lock.release();
  }

  /** False where a message of `bytes` can't even wait; its sender is told. */
  #takes(bytes: number, stored: Stored): boolean {
    if (!this.#closed && this.#intake.hasRoom(bytes + TAIL_BYTES)) return true;
    stored(this.#closed ? closedFault() : waitingFault(this.#health.problem));
    return false;
  }

  #run(settle: boolean): void {
    if (this.#closed) return;
    this.#clock.stop();
    this.#committer.run(settle);
    this.#followUp();
    // A lease that failed gave nothing, and whoever ships asks again only when called.
    if (this.#wakes && this.#disk.store !== undefined) this.#announce();
  }

  #arrived(): void {
    if (this.#trouble.isBlocked) {
      if (this.#intake.isGroupFull) this.#intake.setAside();
    } else if (this.#intake.isGroupFull) this.#run(this.#settling.isDue);
    else this.#clock.arrived();
  }

  #committed(batch: Batch | undefined): void {
    if (batch === undefined) return;
    this.#clock.committed();
    if (batch.count > 0) this.#announce();
  }

  /** What a run of the committer left to be done. */
  #followUp(): void {
    if (this.#intake.pending === 0) this.#trouble.lookForRoom();
    if (this.#health.state === "failed" || this.#health.state === "disk_full") {
      this.#retryLater();
      return;
    }
    if (!this.#trouble.suspicion.isThere) this.#retry.succeeded();
    if (this.#intake.pending > 0 && !this.#trouble.isBlocked) this.#clock.arrived();
    this.#settling.remind(this.#trouble.isBlocked);
  }

  /** A full disk and one that fails are tried again by time; a full buffer waits for a settlement. */
  #retryLater(): void {
    if (this.#health.state !== "full" && !this.#closed) this.#retry.later();
  }

  #announce(): void {
    this.#wakes = false;
    for (const listener of this.#ready) listener();
  }
}
