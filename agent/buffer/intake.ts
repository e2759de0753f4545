/** What was handed over and is not yet committed: the group being filled, and groups that must wait for the disk. */

import type { Rejection } from "../contract/rejection.ts";
import { type Batch, encodeBatch, keep, rejectRow } from "./batch.ts";
import { GROUP_BYTES, GROUP_READINGS, GroupWriter } from "./group-writer.ts";
import type { RejectRow } from "./store.ts";
import type { Stored } from "./types.ts";

/** Most bytes held un-acknowledged; beyond, senders are told to keep their readings. */
export const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Most messages held un-acknowledged. */
export const MAX_WAITING_MESSAGES = 200_000;
/** Messages one sender may have waiting while nothing can be committed. */
export const BLOCKED_WINDOW = 16;
/** Of so many rejects the lane holds at least the newest, so one may take this part of it. */
const REJECTS_AT_LEAST = 4;

export class Intake {
  readonly #writer: GroupWriter;
  readonly #gateway: string;
  readonly #maxPayloadBytes: number;
  #waiting: Batch[] = [];
  #waitingBytes = 0;
  #waitingMessages = 0;
  #stored: Stored[] = [];
  #rejects: RejectRow[] = [];
  #rejectBytes = 0;
  #nextSeq: number;

  /** `nextSeq`: given to the next reading. `rejectsMaxBytes`: what the reject lane holds. */
  constructor(gateway: string, epoch: string, nextSeq: number, rejectsMaxBytes: number) {
    this.#maxPayloadBytes = Math.floor(rejectsMaxBytes / REJECTS_AT_LEAST);
    this.#gateway = gateway;
    this.#writer = new GroupWriter(gateway, epoch);
    this.#nextSeq = nextSeq;
  }

  /** Messages not yet committed. */
  get pending(): number {
    return this.#waitingMessages + this.#stored.length;
  }

  /** True where groups wait that could not be committed. */
  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** True where a message of `bytes` may still be taken. */
  hasRoom(bytes: number): boolean {
    const held = this.#waitingBytes + this.#writer.length + this.#rejectBytes;
    return held + bytes <= MAX_WAITING_BYTES && this.pending < MAX_WAITING_MESSAGES;
  }

  /** Messages one sender may have waiting while nothing can be committed: none where there are many already. */
  get blockedWindow(): number {
    return this.hasRoom(MAX_WAITING_BYTES / 2) && this.pending < MAX_WAITING_MESSAGES / 2
      ? BLOCKED_WINDOW
      : 0;
  }

  /** True where the group being filled is large enough to be committed at once. */
  get isGroupFull(): boolean {
    return this.#stored.length >= GROUP_READINGS || this.#writer.length + this.#rejectBytes >= GROUP_BYTES;
  }

  append(head: Uint8Array, turbine: string, receivedMs: number, marks: number, stored: Stored): void {
    this.#writer.add(head, turbine, receivedMs, marks, this.#nextSeq);
    this.#nextSeq++;
    this.#stored.push(stored);
  }

  reject(rejection: Rejection, receivedMs: number, stored: Stored): void {
    const row = rejectRow(rejection, receivedMs, this.#maxPayloadBytes);
    this.#rejects.push(row);
    this.#rejectBytes += row.bytes;
    this.#stored.push(stored);
  }

  /** The oldest batch; good until it is `done` or until the next `append`, whichever is first. */
  first(): Batch | undefined {
    if (this.#waiting.length > 0) return this.#waiting[0];
    return this.#stored.length === 0 ? undefined : this.#open();
  }

  /** Forgets the batch `first` gave, which is committed. */
  done(batch: Batch): void {
    if (this.#waiting[0] === batch) this.#leave();
    else this.#clear();
  }

  /** Puts the group being filled behind those that wait, so that the next one can be filled. */
  setAside(): void {
    if (this.#stored.length === 0) return;
    const batch = keep(this.#open());
    this.#waiting.push(batch);
    this.#waitingBytes += batch.bytes;
    this.#waitingMessages += batch.stored.length;
    this.#clear();
  }

  /** Takes everything out, to tell those who wait that it can't be stored. */
  abandon(): Stored[] {
    this.setAside();
    const stored = this.#waiting.flatMap((batch) => batch.stored);
    this.#nextSeq = this.#waiting[0]?.firstSeq ?? this.#nextSeq;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#waitingMessages = 0;
    return stored;
  }

  /** Gives everything not yet committed to another epoch, whose next reading is `nextSeq`. */
  rebase(epoch: string, nextSeq: number): void {
    this.setAside();
    this.#writer.setEpoch(epoch);
    this.#nextSeq = nextSeq;
    this.#waiting = this.#waiting.map((batch) => {
      const renamed = this.#rename(batch, epoch);
      this.#nextSeq += batch.count;
      return renamed;
    });
  }

  #rename(batch: Batch, epoch: string): Batch {
    const firstSeq = this.#nextSeq;
    const lines = batch.lines.toString().split("\n").slice(0, batch.count);
    const renamed = lines.map((line, index) => {
      const fields: object = JSON.parse(line);
      return `${JSON.stringify({ ...fields, gateway: this.#gateway, epoch, seq: firstSeq + index })}\n`;
    });
    return encodeBatch({ ...batch, firstSeq, lines: Buffer.from(renamed.join("")) });
  }

  #open(): Batch {
    const writer = this.#writer;
    return encodeBatch({
      firstSeq: this.#nextSeq - writer.count,
      count: writer.count,
      bytes: writer.length + this.#rejectBytes,
      receivedMs: writer.firstReceivedMs,
      lines: writer.bytes(),
      rejects: this.#rejects,
      stored: this.#stored,
    });
  }

  #leave(): void {
    const batch = this.#waiting.shift();
    if (batch === undefined) return;
    this.#waitingBytes -= batch.bytes;
    this.#waitingMessages -= batch.stored.length;
  }

  #clear(): void {
    this.#writer.clear();
    this.#stored = [];
    this.#rejects = [];
    this.#rejectBytes = 0;
  }
}
