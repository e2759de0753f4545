/** Cuts groups of readings into Kinesis records. */

import { AggregateWriter, aggregatedLength, aggregateOverhead } from "../contract/aggregate.ts";
import type { GroupProgress, ShipRecord } from "./ledger.ts";
import { RecordMemory } from "./record-memory.ts";
import { KEY_LENGTH, MAX_HELD_BYTES, MAX_REQUEST_RECORDS } from "./settings.ts";

const NEWLINE = 10;

export interface Cutter {
  /** Puts every line of `body` into records; the full ones go to `onRecord`. */
  cut(progress: GroupProgress, body: Buffer, onRecord: (record: ShipRecord) => void): void;
  /** Readings that were cut and not handed out yet. */
  readonly waiting: number;
  /** Hands out what is waiting. */
  flush(onRecord: (record: ShipRecord) => void): void;
  /** The record was accepted: its bytes are not read any more. */
  release(record: ShipRecord): void;
}

/** `newKey` gives a partition key of KEY_LENGTH ASCII characters, another each time. */
export function createCutter(aggregation: "kpl" | "none", recordBytes: number, newKey: () => string): Cutter {
  return aggregation === "kpl" ? new AggregatingCutter(recordBytes, newKey) : new PlainCutter(newKey);
}

/** Calls `each` with the start and the end of every line, its newline included. */
export function forEachLine(body: Buffer, each: (from: number, to: number) => void): void {
  for (let from = 0; from < body.length; ) {
    const newline = body.indexOf(NEWLINE, from);
    const to = newline < 0 ? body.length : newline + 1;
    each(from, to);
    from = to;
  }
}

/** One reading a record; a whole request's worth of them is handed out at once. */
class PlainCutter implements Cutter {
  readonly #newKey: () => string;
  #records: ShipRecord[] = [];

  constructor(newKey: () => string) {
    this.#newKey = newKey;
  }

  get waiting(): number {
    return this.#records.length;
  }

  cut(progress: GroupProgress, body: Buffer, onRecord: (record: ShipRecord) => void): void {
    const groups = [progress];
    forEachLine(body, (from, to) => {
      progress.parts++;
      this.#records.push({ key: this.#newKey(), data: body.subarray(from, to), readings: 1, groups });
      if (this.#records.length === MAX_REQUEST_RECORDS) this.flush(onRecord);
    });
  }

  flush(onRecord: (record: ShipRecord) => void): void {
    const records = this.#records;
    this.#records = [];
    for (const record of records) onRecord(record);
  }

  release(): void {}
}

/** As many readings a record as fit; a record goes on from one group into the next. */
class AggregatingCutter implements Cutter {
  readonly #newKey: () => string;
  readonly #writer: AggregateWriter;
  readonly #memory: RecordMemory;
  readonly #capacity: number;
  #key: string | undefined;
  #groups: GroupProgress[] = [];

  constructor(recordBytes: number, newKey: () => string) {
    this.#newKey = newKey;
    this.#capacity = recordBytes - KEY_LENGTH;
    this.#writer = new AggregateWriter(this.#capacity);
    this.#memory = new RecordMemory(this.#capacity, Math.ceil(MAX_HELD_BYTES / recordBytes));
  }

  get waiting(): number {
    return this.#key === undefined ? 0 : this.#writer.count;
  }

  cut(progress: GroupProgress, body: Buffer, onRecord: (record: ShipRecord) => void): void {
    this.#writer.load(body);
    forEachLine(body, (from, to) => {
      if (this.#key === undefined) this.#begin();
      if (!this.#writer.add(from, to)) {
        if (!this.#fitsAlone(to - from)) {
          onRecord(this.#alone(progress, body.subarray(from, to)));
          return;
        }
        this.flush(onRecord);
        this.#begin();
        this.#writer.add(from, to);
      }
      if (this.#groups.at(-1) !== progress) {
        progress.parts++;
        this.#groups.push(progress);
      }
    });
  }

  flush(onRecord: (record: ShipRecord) => void): void {
    if (this.#key === undefined || this.#writer.count === 0) return;
    const record = {
      key: this.#key,
      readings: this.#writer.count,
      data: this.#writer.finish(this.#memory.take()),
      groups: this.#groups,
    };
    this.#key = undefined;
    this.#groups = [];
    onRecord(record);
  }

  release({ data }: ShipRecord): void {
    this.#memory.giveBack(data);
  }

  #begin(): void {
    this.#key = this.#newKey();
    this.#writer.begin(this.#key);
  }

  #fitsAlone(length: number): boolean {
    return aggregateOverhead("k".repeat(KEY_LENGTH)) + aggregatedLength(length) <= this.#capacity;
  }

  /** A reading too long for an aggregated record travels in one of its own, as it is. */
  #alone(progress: GroupProgress, line: Buffer): ShipRecord {
    progress.parts++;
    return { key: this.#newKey(), data: line, readings: 1, groups: [progress] };
  }
}
