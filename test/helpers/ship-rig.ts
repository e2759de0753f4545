/** A shipper in front of the Kinesis stub, with a log that can be read. */

import { EventEmitter, once } from "node:events";
import { Writable } from "node:stream";
import { pino } from "pino";
import type { Test } from "tap";
import type { ShipSettings } from "../../agent/ship/settings.ts";
import { createShipper, type ShipDeps, type Shipper } from "../../agent/ship/shipper.ts";
import { type KinesisStub, type StubOptions, startKinesisStub } from "./kinesis-stub.ts";
import { LineSource } from "./line-source.ts";

export interface LogLine {
  level: number;
  msg: string;
  code?: string;
  hint?: string;
}
export const WARN = 40;
export const INFO = 30;

export function readableLog() {
  const lines: LogLine[] = [];
  const written = new EventEmitter();
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      written.emit("line");
      done();
    },
  });
  /** Resolves once a warning was logged. */
  const warned = async () => {
    while (!lines.some(({ level }) => level === WARN)) await once(written, "line");
  };
  return { lines, warned, log: pino({ level: "debug" }, stream) };
}

export function shipSettings(endpoint: string, changes: Partial<ShipSettings> = {}): ShipSettings {
  return {
    stream: "windfarm-readings",
    region: "us-east-1",
    endpoint,
    flushEveryMs: 10,
    maxInFlight: 3,
    requestTimeoutMs: 10_000,
    recordBytes: 51_200,
    credentials: { kind: "static", accessKeyId: "key", secretAccessKey: "secret" },
    ...changes,
  };
}

export interface Rig {
  stub: KinesisStub;
  source: LineSource;
  shipper: Shipper;
  log: LogLine[];
  warned: () => Promise<void>;
}

/** Everything is stopped when the test ends. */
export async function rig(
  t: Test,
  options: StubOptions = {},
  changes: Partial<ShipSettings> = {},
  deps: Partial<ShipDeps> = {},
): Promise<Rig> {
  const stub = await startKinesisStub(options);
  const source = new LineSource();
  const { lines, warned, log } = readableLog();
  const settings = shipSettings(stub.endpoint, changes);
  const shipper = createShipper(settings, source, { log, backoff: { baseMs: 2, capMs: 20 }, ...deps });
  t.teardown(async () => {
    await shipper.stop(0);
    await stub.outage();
  });
  return { stub, source, shipper, log: lines, warned };
}

/** `count` different readings of about 178 bytes. */
export function readings(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, index) => {
    const seq = from + index;
    return `{"id":"PP_${seq}","data":0.97,"type":"Power Factor","date":"2026-11-22T12:00:00.000Z","turbine":"T07","gateway":"gw-01","epoch":"t8k2q1","seq":${seq},"received":"2026-11-22T12:00:00.112Z"}\n`;
  });
}
