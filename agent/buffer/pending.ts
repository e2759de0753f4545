/** What was handed over: the group being filled, groups that wait to be committed, and the count of all not yet told. */

import type { Rejection } from "../contract/rejection.ts";
import { type Batch, rejectRow } from "./batch.ts";
import { GROUP_BYTES, GROUP_READINGS, GroupWriter } from "./group-writer.ts";
import { packLines, unpackLines } from "./gzip.ts";
import type { State } from "./state.ts";
import type { RejectRow } from "./store.ts";
import type { BufferSettings, Stored } from "./types.ts";

/** Most bytes held un-acknowledged; beyond, senders are told to keep their readings. */
export const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Most messages held un-acknowledged. */
export const MAX_WAITING_MESSAGES = 200_000;
/** Messages one sender may have waiting while nothing can be committed. */
export const BLOCKED_WINDOW = 16;
/** Of so many rejects the lane holds at least the newest, so one may take this part of it. */
const REJECTS_AT_LEAST = 4;

export class PendingQueue {
  readonly #writer: GroupWriter;
  readonly #gateway: string;
  readonly #maxPayloadBytes: number;
  /** Closed groups that are not committed, oldest first. */
  #closed: Batch[] = [];
  /** Of all groups that were closed and whose senders are not told. */
  #closedBytes = 0;
  #closedMessages = 0;
  #stored: Stored[] = [];
  #rejects: RejectRow[] = [];
  #rejectBytes = 0;
  #nextSeq: number;
  /** Packed bytes a byte of lines, of the last groups. */
  #ratio = 0.25;

  constructor({ gateway, rejectsMaxBytes }: BufferSettings, { epoch, lastKey, epochBase }: State) {
    this.#maxPayloadBytes = Math.floor(rejectsMaxBytes / REJECTS_AT_LEAST);
    this.#gateway = gateway;
    this.#writer = new GroupWriter(gateway, epoch);
    this.#nextSeq = lastKey - epochBase + 1;
  }

  /** Messages whose senders are not told, and their bytes. */
  get messages(): number {
    return this.#closedMessages + this.#stored.length;
  }

  get bytes(): number {
    return this.#closedBytes + this.#writer.length + this.#rejectBytes;
  }

  /** True if all is committed. */
  get isEmpty(): boolean {
    return this.#closed.length + this.#stored.length === 0;
  }

  /** True if closed groups wait. */
  get hasClosed(): boolean {
    return this.#closed.length > 0;
  }

  /** True when the group being filled is as large as one becomes. */
  get isGroupFull(): boolean {
    return this.#stored.length >= GROUP_READINGS || this.#writer.length + this.#rejectBytes >= GROUP_BYTES;
  }

  /** What the group being filled will probably take in the file, bytes. */
  get expectedBytes(): number {
    return this.#writer.length * this.#ratio + this.#rejectBytes;
  }

  /** Messages one sender may have waiting while nothing can be committed: none when there are many already. */
  get blockedWindow(): number {
    const isCrowded = this.bytes > MAX_WAITING_BYTES / 2 || this.messages > MAX_WAITING_MESSAGES / 2;
    return isCrowded ? 0 : BLOCKED_WINDOW;
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

  /** The oldest batch; the group being filled is closed for it. */
  first(): Batch | undefined {
    if (this.#closed.length === 0) this.closeGroup();
    return this.#closed[0];
  }

  /** The batch that `first` gave is committed. */
  shift(): void {
    this.#closed.shift();
  }

  /** Puts batches back whose transaction is not in the file; they are the oldest again. */
  putBack(batches: readonly Batch[]): void {
    this.#closed.unshift(...batches);
  }

  /** The batch's senders are told. */
  told({ bytes, stored }: Batch): void {
    this.#closedBytes -= bytes;
    this.#closedMessages -= stored.length;
  }

  /** Ends the group being filled, so that the next one can be begun. */
  closeGroup(): void {
    if (this.#stored.length === 0) return;
    const writer = this.#writer;
    const body = writer.count === 0 ? Buffer.alloc(0) : packLines(writer.bytes());
    if (writer.count > 0) this.#ratio += (body.length / writer.length - this.#ratio) / 4;
    const bytes = writer.length + this.#rejectBytes;
    this.#closed.push({
      firstSeq: this.#nextSeq - writer.count,
      count: writer.count,
      bytes,
      receivedMs: writer.firstReceivedMs,
      body,
      rejects: this.#rejects,
      stored: this.#stored,
    });
    this.#closedBytes += bytes;
    this.#closedMessages += this.#stored.length;
    writer.clear();
    this.#stored = [];
    this.#rejects = [];
    this.#rejectBytes = 0;
  }

  /** Takes everything out, to tell those who wait that it can't be stored. */
  abandon(): Stored[] {
    const stored: Stored[] = [];
    for (let batch = this.first(); batch !== undefined; batch = this.first()) {
      stored.push(...batch.stored);
      this.shift();
      this.told(batch);
    }
    return stored;
  }

  /**
   * Gives everything not yet committed its seqs anew if what is in the file now is not what it was to follow: another file,
   * or readings of another process that had it meanwhile.
   */
  follow({ epoch, lastKey, epochBase }: State): void {
    this.closeGroup();
    const nextSeq = lastKey - epochBase + 1;
    if (epoch === this.#writer.epoch && nextSeq === (this.#closed[0]?.firstSeq ?? this.#nextSeq)) return;
    this.#writer.setEpoch(epoch);
    this.#nextSeq = nextSeq;
    this.#closed = this.#closed.map((batch) => {
      const renamed = this.#rename(batch, epoch);
      this.#nextSeq += batch.count;
      return renamed;
    });
  }

  #rename(batch: Batch, epoch: string): Batch {
    const firstSeq = this.#nextSeq;
    if (batch.count === 0) return { ...batch, firstSeq };
    const lines = unpackLines(batch.body)?.toString().split("\n").slice(0, batch.count) ?? [];
    const renamed = lines.map((line, index) => {
      const fields: object = JSON.parse(line);
      return `${JSON.stringify({ ...fields, gateway: this.#gateway, epoch, seq: firstSeq + index })}\n`;
    });
    return { ...batch, firstSeq, body: packLines(Buffer.from(renamed.join(""))) };
  }
}
