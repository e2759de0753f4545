/**
 * A shipped reading: what Kinesis and the lake see, one JSON object and a newline, keys in this order:
 * id, data, type, date, turbine, gateway, epoch, seq, received. `(gateway, epoch, seq)` is the delivery's identity.
 *
 * It is written in two strokes. The head says what the producer said and is made when a reading is validated;
 * the tail says whose delivery it is and is added when the reading joins a commit, for only then is `seq` known.
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
export type ShippedField = keyof typeof SHIPPED_FIELDS;

export interface ShippedReading extends Reading {
  gateway: string;
  /** Born with a buffer file; `seq` counts within it. */
  epoch: string;
  /** 1, 2, 3, … without gaps within an epoch. */
  seq: number;
  /** When the gateway took it, `YYYY-MM-DDTHH:MM:SS.mmmZ`. */
  received: string;
}

/** The head of a shipped reading: its JSON up to the date, without the closing brace. */
export function encodeHead(reading: Reading): string {
  const { id, data, type, date } = reading;
  return `{"id":${JSON.stringify(id)},"data":${JSON.stringify(data)},"type":${JSON.stringify(type)},"date":"${date}"`;
}

/** What stands between the head and the number `seq`; the same for every reading of a turbine within an epoch. */
export function encodeTail(turbine: string, gateway: string, epoch: string): string {
  return `,"turbine":${JSON.stringify(turbine)},"gateway":${JSON.stringify(gateway)},"epoch":${JSON.stringify(epoch)},"seq":`;
}

/** What stands after the number `seq`: the time of receipt and the newline. */
export function encodeReceived(receivedMs: number): string {
  return `,"received":"${new Date(receivedMs).toISOString()}"}\n`;
}

/** The whole line, newline included. */
export function encodeShipped(shipped: ShippedReading): string {
  const tail = encodeTail(shipped.turbine, shipped.gateway, shipped.epoch);
  return `${encodeHead(shipped)}${tail}${shipped.seq}${encodeReceived(Date.parse(shipped.received))}`;
}
