/** Records that wait to be sent, oldest first. */

import type { ShipRecord } from "./ledger.ts";

export class RecordQueue {
  #records: ShipRecord[] = [];
  /** Records before this position were taken. */
  #from = 0;
  #bytes = 0;

  get size(): number {
    return this.#records.length - this.#from;
  }

  /** With their keys. */
  get bytes(): number {
    return this.#bytes;
  }

  push(record: ShipRecord): void {
    this.#records.push(record);
    this.#bytes += sizeOf(record);
  }

  /** Records that came back; they leave first. */
  putBack(records: readonly ShipRecord[]): void {
    this.#records = [...records, ...this.#records.slice(this.#from)];
    this.#from = 0;
    for (const record of records) this.#bytes += sizeOf(record);
  }

  /** The next records, at most `maxRecords` of `maxBytes` together, but one where there is one. */
  take(maxBytes: number, maxRecords: number): ShipRecord[] {
    const taken: ShipRecord[] = [];
    let bytes = 0;
    for (; taken.length < maxRecords; this.#from++) {
      const record = this.#records[this.#from];
      if (record === undefined) break;
      if (taken.length > 0 && bytes + sizeOf(record) > maxBytes) break;
      bytes += sizeOf(record);
      taken.push(record);
    }
    this.#bytes -= bytes;
    this.#forgetTaken();
    return taken;
  }

  clear(): void {
    this.#records = [];
    this.#from = 0;
    this.#bytes = 0;
  }

  #forgetTaken(): void {
    if (this.#from < this.#records.length / 2) return;
    this.#records = this.#records.slice(this.#from);
    this.#from = 0;
  }
}

/** A record's share of a request's limit, bytes. */
export function sizeOf(record: ShipRecord): number {
  return record.data.length + record.key.length;
}
