/** The buffer's promises without a disk: the model that the durable one is held against, and a ReadingBuffer for tests. */

import { gzipSync } from "node:zlib";
import type {
  Accounts,
  BufferSettings,
  BufferStatus,
  Group,
  ReadingBuffer,
  Settlement,
  Stored,
} from "../../agent/buffer/types.ts";
import type { Rejection } from "../../agent/contract/rejection.ts";
import { encodeReceived, encodeTail } from "../../agent/contract/shipped.ts";

interface Kept extends Group {
  out: boolean;
}

export class MemoryBuffer implements ReadingBuffer {
  readonly epoch = "memory";
  readonly window = Number.POSITIVE_INFINITY;
  readonly #settings: BufferSettings;
  readonly #ready: (() => void)[] = [];
  #pending: { line: Buffer; receivedMs: number; stored: Stored }[] = [];
  #rejects: Stored[] = [];
  #groups: Kept[] = [];
  #seq = 0;
  #accounts: Accounts = { received: 0, buffered: 0, shipped: 0, rejected: 0, dropped: 0 };
  #commits = 0;
  #closed = false;

  constructor(settings: BufferSettings) {
    this.#settings = settings;
  }

  append(head: Uint8Array, turbine: string, receivedMs: number, marks: number, stored: Stored): void {
    if (this.#closed) {
      stored(new Error("closed"));
      return;
    }
    const tail = encodeTail(turbine, this.#settings.gateway, this.epoch);
    const seq = this.#seq + this.#pending.length + 1;
    const line = Buffer.concat([
      head.subarray(0, -1),
      Buffer.from(`${tail}${seq}${encodeReceived(receivedMs, marks)}`),
    ]);
    this.#pending.push({ line, receivedMs, stored });
    if (this.#pending.length + this.#rejects.length >= 1000) this.flush();
    else setImmediate(() => this.flush());
  }

  reject(_rejection: Rejection, _receivedMs: number, stored: Stored): void {
    this.#rejects.push(stored);
    setImmediate(() => this.flush());
  }

  flush(): void {
    const pending = this.#pending;
    const rejects = this.#rejects;
    const [first] = pending;
    this.#pending = [];
    this.#rejects = [];
    if (pending.length + rejects.length === 0) return;
    if (first !== undefined) {
      const lines = Buffer.concat(pending.map(({ line }) => line));
      const group = { groupKey: this.#seq + 1, count: pending.length, receivedMs: first.receivedMs };
      this.#groups.push({ ...group, body: gzipSync(lines), lines, out: false });
    }
    this.#seq += pending.length;
    this.#accounts.received += pending.length + rejects.length;
    this.#accounts.buffered += pending.length;
    this.#accounts.rejected += rejects.length;
    this.#commits++;
    for (const { stored } of pending) stored();
    for (const stored of rejects) stored();
    if (first !== undefined) for (const listener of this.#ready) listener();
  }

  lease(maxBytes: number): Group[] {
    const groups: Group[] = [];
    let left = maxBytes;
    for (const group of this.#groups) {
      if (group.out) continue;
      if (groups.length > 0 && group.body.length > left) break;
      left -= group.body.length;
      group.out = true;
      const { groupKey, count, receivedMs, body, lines } = group;
      groups.push({ groupKey, count, receivedMs, body, lines });
      if (left <= 0) break;
    }
    return groups;
  }

  settle(groupKey: number, settlement: Settlement): void {
    const group = this.#groups.find((each) => each.groupKey === groupKey && each.out);
    if (group === undefined) return;
    group.out = false;
    if (settlement.outcome === "again") return;
    this.#groups = this.#groups.filter((each) => each !== group);
    this.#accounts.buffered -= group.count;
    if (settlement.outcome === "delivered") this.#accounts.shipped += group.count;
    else this.#accounts.rejected += group.count;
  }

  onReady(listener: () => void): void {
    this.#ready.push(listener);
  }

  onState(): void {}

  accounts(): Accounts {
    return { ...this.#accounts };
  }

  /** As after a power cut, or a reopening: nobody has anything leased, what was pending is gone. */
  restart(): void {
    this.#pending = [];
    this.#rejects = [];
    for (const group of this.#groups) group.out = false;
  }

  status(): BufferStatus {
    const [oldest] = this.#groups;
    return {
      epoch: this.epoch,
      ...(oldest === undefined ? {} : { firstSeq: oldest.groupKey }),
      lastSeq: this.#seq,
      accounts: this.accounts(),
      state: "storing",
      usedBytes: this.#groups.reduce((sum, { body }) => sum + body.length, 0),
      maxBytes: this.#settings.maxBytes,
      ...(oldest === undefined ? {} : { oldestReceivedMs: oldest.receivedMs }),
      commits: this.#commits,
      committedReadings: this.#seq,
      commitSeconds: 0,
      longestCommitSeconds: 0,
      pending: this.#pending.length + this.#rejects.length,
      leasedGroups: this.#groups.filter(({ out }) => out).length,
      rejectsKept: 0,
      recovered: [],
      salvagedReadings: 0,
      aside: [],
    };
  }

  async close(): Promise<void> {
    this.flush();
    this.#closed = true;
  }
}
