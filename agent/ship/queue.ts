/**
 * Records that wait to be sent. What is live goes before the backlog, the newest first, and what came back before that;
 * a record that was refused for itself rests for a while and holds up no other.
 */

import { type ShipRecord, sizeOf } from "./record.ts";

export class RecordQueue {
  #records: ShipRecord[] = [];
  #resting: { record: ShipRecord; untilMs: number }[] = [];
  #bytes = 0;

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
    return this.#bytes;
  }

  /** When the first resting record may leave; Infinity where none rests. */
  get restUntilMs(): number {
    return this.#resting.reduce((first, { untilMs }) => Math.min(first, untilMs), Number.POSITIVE_INFINITY);
  }

  /** Behind all others. */
  push(record: ShipRecord): void {
    this.#records.push(record);
    this.#bytes += sizeOf(record);
  }

  /** Before all others. */
  putFirst(records: readonly ShipRecord[]): void {
    this.#records.unshift(...records);
    for (const record of records) this.#bytes += sizeOf(record);
  }

  rest(record: ShipRecord, untilMs: number): void {
    this.#resting.push({ record, untilMs });
  }

  /** Lets those go on that have rested by `nowMs`. */
  wake(nowMs: number): void {
    if (this.restUntilMs > nowMs) return;
    const rested = this.#resting.filter(({ untilMs }) => untilMs <= nowMs);
    this.#resting = this.#resting.filter(({ untilMs }) => untilMs > nowMs);
    this.putFirst(rested.map(({ record }) => record));
  }

  /** The next records, at most `maxRecords` of `maxBytes` together, but one where there is one. */
  take(maxBytes: number, maxRecords: number): ShipRecord[] {
    let bytes = 0;
    let count = 0;
    for (const record of this.#records) {
      if (count === maxRecords || (count > 0 && bytes + sizeOf(record) > maxBytes)) break;
      bytes += sizeOf(record);
      count++;
    }
    this.#bytes -= bytes;
    return this.#records.splice(0, count);
  }

  /** Puts other records in the place of each that waits. */
  replace(each: (record: ShipRecord) => readonly ShipRecord[]): void {
    const records = this.#records;
    this.clear();
    for (const record of records.flatMap(each)) this.push(record);
  }

  clear(): void {
    this.#records = [];
    this.#bytes = 0;
  }
}
