/**
 * Records that wait to be sent. What is live goes before the backlog, the newest first, and what came back before that;
 * a record that was refused for itself rests for a while and holds up no other.
 */

import { type ShipRecord, sizeOf } from "./record.ts";

export class RecordQueue {
  #records: ShipRecord[] = [];
  #resting: { record: ShipRecord; untilMs: number }[] = [];

  /** Records that may leave now, and those that rest. */
  get size(): number {
    return this.#records.length + this.#resting.length;
  }

  /** Records that may leave now. */
  get ready(): number {
    return this.#records.length;
  }

  /** Of the records that may leave now, with their keys. */
  get bytes(): number {
    return this.#records.reduce((sum, record) => sum + sizeOf(record), 0);
  }

  /** When the first resting record may leave; Infinity where none rests. */
  get restUntilMs(): number {
    return this.#resting.reduce((first, { untilMs }) => Math.min(first, untilMs), Number.POSITIVE_INFINITY);
  }

  /** Behind all others. */
  push(record: ShipRecord): void {
    this.#records.push(record);
  }

  /** Before all others. */
  putFirst(records: readonly ShipRecord[]): void {
    this.#records.unshift(...records);
  }

  rest(record: ShipRecord, untilMs: number): void {
    this.#resting.push({ record, untilMs });
  }

  /** Lets those go on that have rested by `nowMs`. */
  wake(nowMs: number): void {
    const rested = this.#resting.filter(({ untilMs }) => untilMs <= nowMs);
    this.#resting = this.#resting.filter(({ untilMs }) => untilMs > nowMs);
    this.putFirst(rested.map(({ record }) => record));
  }

  /** The next records, at most `maxRecords` of `maxBytes` together, but one where there is one. */
  take(maxBytes: number, maxRecords: number): ShipRecord[] {
    let bytes = 0;
    const tooMany = this.#records.findIndex((record, index) => {
      bytes += sizeOf(record);
      return index === maxRecords || (index > 0 && bytes > maxBytes);
    });
    return this.#records.splice(0, tooMany === -1 ? this.#records.length : tooMany);
  }

  /** Takes out those that `match`. */
  remove(match: (record: ShipRecord) => boolean): ShipRecord[] {
    const removed = this.#records.filter(match);
    this.#records = this.#records.filter((record) => !removed.includes(record));
    return removed;
  }
}
