/** A farm's raw readings as they come after outages, with wrong clocks and from sloppy producers; seeded. */

import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { SENSOR_TYPES } from "../../../agent/contract/sensors.ts";
import { rawFolderAt, rawObjectName } from "../../../cloud/layout.ts";
import type { RawStore } from "../../../cloud/local/raw-store.ts";
import { line } from "./edge-lines.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BEGIN_MS = Date.UTC(2026, 10, 1);
const TURBINES = 10;

/** Writes `text` as a raw object of two members that arrived at `ms`. */
export function putRaw(raw: RawStore, ms: number, text: string): void {
  const path = raw.path(`${rawFolderAt(ms)}/${rawObjectName(ms, randomUUID())}`);
  mkdirSync(dirname(path), { recursive: true });
  const middle = text.indexOf("\n", text.length / 2) + 1;
  writeFileSync(path, Buffer.concat([gzipSync(text.slice(0, middle)), gzipSync(text.slice(middle))]));
}

export interface Plan {
  seed: number;
  /** Raw lines in all, duplicates and bad ones among them. */
  lines: number;
  linesAnObject: number;
  /** Days over which they arrive. */
  days: number;
}

export interface Written {
  /** Identities of the readings among the lines written so far. */
  identities: Set<string>;
  lines: number;
  bad: number;
}

/** Writes raw objects bit by bit: `more(share)` goes on until that share of the plan is written. */
export class RawReadings {
  readonly #plan: Plan;
  readonly #raw: RawStore;
  readonly #random: () => number;
  #object = 0;
  /** The last seq of each gateway. */
  readonly #seqs = new Map<string, number>();
  /** Lines sent before, to be sent again. */
  #sent: string[] = [];
  /** Readings made in an outage, to arrive twenty days later. */
  #late: { arriveMs: number; fields: Fields }[] = [];
  readonly written: Written = { identities: new Set(), lines: 0, bad: 0 };

  constructor(plan: Plan, raw: RawStore) {
    this.#plan = plan;
    this.#raw = raw;
    this.#random = mulberry32(plan.seed);
  }

  async more(share: number): Promise<void> {
    const { lines, linesAnObject, days } = this.#plan;
    const objects = Math.ceil(lines / linesAnObject);
    for (; this.#object < objects * share; this.#object++) {
      const arrivedMs = BEGIN_MS + Math.floor((this.#object / objects) * days * DAY_MS);
      const messy = this.#object % 5 === 4;
      let text = "";
      for (let line = 0; line < linesAnObject; line++) text += `${this.#line(arrivedMs, messy)}\n`;
      this.written.lines += linesAnObject;
      for (const [gateway, last] of this.#seqs) text += `${statusLine(gateway, last, arrivedMs)}\n`;
      putRaw(this.#raw, arrivedMs, text);
    }
  }

  #line(arrivedMs: number, messy: boolean): string {
    const dice = this.#random();
    if (messy && dice < 0.02) {
      this.written.bad++;
      return this.#bad(arrivedMs);
    }
    const due = this.#late.at(0);
    if (due !== undefined && due.arriveMs <= arrivedMs) {
      this.#late.shift();
      return this.#deliver(due.fields, arrivedMs);
    }
    if (dice < 0.1 && this.#sent.length > 0) return this.#again(arrivedMs);
    const fields = this.#reading(arrivedMs);
    // Of the first days a link was down: their readings come twenty days later.
    if (this.#random() < 0.05 && arrivedMs < BEGIN_MS + 4 * DAY_MS)
      this.#late.push({ arriveMs: arrivedMs + 20 * DAY_MS, fields: this.#reading(arrivedMs) });
    return this.#deliver(fields, arrivedMs);
  }

  #reading(arrivedMs: number): Fields {
    const sort = this.#random();
    const type = SENSOR_TYPES[this.#int(3)] ?? "Power Factor";
    let ms = arrivedMs - this.#int(60_000);
    if (sort < 0.01) ms = arrivedMs + this.#int(5 * DAY_MS);
    const iso = new Date(ms).toISOString();
    const date = sort > 0.98 ? iso.slice(0, 10) : sort > 0.96 ? `${iso.slice(0, 10)}T00:00:00.000Z` : iso;
    const turbine = `T${this.#int(TURBINES)}`;
    const gateway = `gw-0${1 + this.#int(3)}`;
    const moving = this.#int(5) === 0 ? this.#int(100) : Math.fround(this.#random() * 90) - 5;
    // One sensor is stuck.
    const data = turbine === "T0" && type === "Hydraulic Pressure" ? 76 : moving;
    const said = { id: `P_${this.#int(40)}`, data, type, turbine, gateway };
    return date.length === 10 ? { ...said, date: `${date}T00:00:00.000Z`, day: true } : { ...said, date };
  }

  #deliver(fields: Fields, arrivedMs: number): string {
    const { id, data, type, date, turbine, gateway, day } = fields;
    const delivery = this.#delivery(gateway, arrivedMs);
    // Of a day only each delivery without DUP is a reading of its own.
    const which = day === true ? `day ${delivery.seq}` : "";
    this.written.identities.add(`${gateway} ${turbine} ${type} ${id} ${date} ${data} ${which}`);
    const line = JSON.stringify({ ...fields, ...delivery });
    if (this.#sent.length < 5_000) this.#sent.push(line);
    else this.#sent[this.#int(5_000)] = line;
    return line;
  }

  /** The very same delivery once more, or the same reading in a delivery of its own. */
  #again(arrivedMs: number): string {
    const line = this.#sent[this.#int(this.#sent.length)] ?? "";
    if (this.#random() < 0.5) return line;
    const { gateway, ...said } = JSON.parse(line);
    return JSON.stringify({ ...said, ...this.#delivery(gateway, arrivedMs), dup: true });
  }

  #delivery(
    gateway: string,
    arrivedMs: number,
  ): { gateway: string; epoch: string; seq: number; received: string } {
    const received = new Date(arrivedMs - this.#int(5_000)).toISOString();
    const seq = (this.#seqs.get(gateway) ?? 0) + 1;
    this.#seqs.set(gateway, seq);
    return { gateway, epoch: "e1", seq, received };
  }

  #bad(arrivedMs: number): string {
    const received = new Date(arrivedMs).toISOString();
    const good = { ...this.#reading(arrivedMs), epoch: "e1", seq: 1, received };
    const kinds: (() => string)[] = [
      () => "not json at all",
      () => JSON.stringify(good).slice(0, 40),
      () => JSON.stringify({ ...good, id: "" }),
      () => JSON.stringify({ ...good, data: "1d" }),
      () => JSON.stringify({ ...good, data: "0x1p3" }),
      () => JSON.stringify({ ...good, data: null }),
      () => JSON.stringify({ ...good, date: "2026-02-30" }),
      () => JSON.stringify({ ...good, date: "epoch" }),
      () => JSON.stringify({ ...good, date: "2026-11-22T24:00:00.000Z" }),
      () => JSON.stringify({ ...good, seq: "1_000" }),
      () => JSON.stringify({ ...good, received: "yesterday" }),
      () => JSON.stringify({ other: "keys", than: 3 }),
      () => "[1,2,3]",
    ];
    return kinds[this.#int(kinds.length)]?.() ?? "";
  }

  #int(below: number): number {
    return Math.floor(this.#random() * below);
  }
}

interface Fields {
  id: string;
  data: number;
  type: string;
  date: string;
  turbine: string;
  gateway: string;
  day?: boolean;
}

function statusLine(gateway: string, last: number, ms: number): string {
  const [sent, counts] = [new Date(ms).toISOString(), { received: last, buffered: 0, shipped: last }];
  const about = {
    site: "demo",
    epoch: "e1",
    version: "0.2.0",
    state: "delivering",
    cpu: 0.01,
    clock_synced: true,
  };
  return JSON.stringify({ kind: "gateway", gateway, ...about, first: null, last, sent, ...counts });
}

function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Writes readings `first` to `last` of one gateway as a raw object. */
export function putReadings(raw: string, first: number, last: number): void {
  const path = join(raw, "readings/dt=2026-11-22/hr=12", `o-${first}.gz`);
  mkdirSync(dirname(path), { recursive: true });
  const text = Array.from(
    { length: last - first + 1 },
    (_, n) => `${line(`P_${first + n}`, { seq: first + n })}\n`,
  );
  writeFileSync(path, gzipSync(text.join("")));
}
