/**
 * A shipped reading: what Kinesis and the lake see, one JSON object and a newline, keys in this order:
 * id, data, type, date, turbine, gateway, epoch, seq, received, then `day` and `dup` where they are true.
 * `(gateway, epoch, seq)` is the delivery's identity.
 *
 * It is written in two strokes. The head says what the producer said and is made when a reading is validated;
 * the tail says whose delivery it is and is added when the reading joins a commit, for only then is `seq` known. The head is an
 * object of its own, so that a payload already in this form is one as it came; the tail takes the place of its closing brace.
 */

import type { Reading } from "./reading.ts";

/** The fields of a shipped reading in their order, with the lake's column types. */
export const SHIPPED_FIELDS = {
  id: "string",
  data: "double",
  type: "string",
  date: "timestamp",
  turbine: "string",
  gateway: "string",
  epoch: "string",
  seq: "bigint",
  received: "timestamp",
} as const;

export interface ShippedReading extends Reading {
  gateway: string;
  /** Born with a buffer file; `seq` counts within it. */
  epoch: string;
  /** 1, 2, 3, … without gaps within an epoch. */
  seq: number;
  /** When the gateway took it, `YYYY-MM-DDTHH:MM:SS.mmmZ`. */
  received: string;
  /** The producer named only a day; absent is false. */
  day?: boolean;
  /** MQTT's DUP flag came with it: the producer may have sent it before; absent is false. */
  dup?: boolean;
}

/** What is known of a reading besides its fields; a set of bits, since it travels with every reading. */
export const MARK_DAY = 1;
export const MARK_DUP = 2;
/** `,"day":true` and `,"dup":true` by the marks' bits. */
const MARKS = ["", ',"day":true', ',"dup":true', ',"day":true,"dup":true'] as const;

/** The head of a shipped reading: its fields up to the date. */
export function encodeHead(reading: Reading): string {
  const { id, data, type, date } = reading;
  return `{"id":${JSON.stringify(id)},"data":${JSON.stringify(data)},"type":${JSON.stringify(type)},"date":"${date}"}`;
}

/** What stands between the head, without its closing brace, and the number `seq`; the same for every reading of a turbine within an epoch. */
export function encodeTail(turbine: string, gateway: string, epoch: string): string {
  return `,"turbine":${JSON.stringify(turbine)},"gateway":${JSON.stringify(gateway)},"epoch":${JSON.stringify(epoch)},"seq":`;
}

/** What stands after the number `seq`: the time of receipt, the marks (MARK_DAY, MARK_DUP) and the newline. */
export function encodeReceived(receivedMs: number, marks = 0): string {
  return `,"received":"${new Date(receivedMs).toISOString()}"${MARKS[marks & 3]}}\n`;
}

/** The whole line, newline included. */
export function encodeShipped(shipped: ShippedReading): string {
  const tail = encodeTail(shipped.turbine, shipped.gateway, shipped.epoch);
  const marks = (shipped.day ? MARK_DAY : 0) | (shipped.dup ? MARK_DUP : 0);
  return `${encodeHead(shipped).slice(0, -1)}${tail}${shipped.seq}${encodeReceived(Date.parse(shipped.received), marks)}`;
}
