/** What the buffer's tests share: a buffer in a folder of its own, readings, and a log that can be read. */

import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import pino from "pino";
import type { Test } from "tap";
import { type BufferDeps, openBuffer } from "../../agent/buffer/open.ts";
import type { BufferSettings, ReadingBuffer } from "../../agent/buffer/types.ts";
import { encodeHead } from "../../agent/contract/shipped.ts";

export const NOW = Date.parse("2026-11-22T12:00:00.000Z");

export function settingsIn(folder: string, overrides: Partial<BufferSettings> = {}): BufferSettings {
  return {
    path: join(folder, "buffer.db"),
    gateway: "gw-01",
    maxBytes: 64 * 1024 * 1024,
    onFull: "refuse",
    lingerMs: 0,
    rejectsMaxBytes: 1024 * 1024,
    ballastBytes: 0,
    ...overrides,
  };
}

export interface LogLine {
  level: number;
  msg: string;
  [key: string]: unknown;
}

export interface TestLog {
  log: pino.Logger;
  lines: LogLine[];
  /** Lines at WARN and above. */
  loud(): LogLine[];
}

export function testLog(): TestLog {
  const lines: LogLine[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  return { log, lines, loud: () => lines.filter(({ level }) => level >= 40) };
}

export interface TestBuffer extends TestLog {
  buffer: ReadingBuffer;
  settings: BufferSettings;
}

/** The test's folder, removed after its buffers are closed: tap removes it first unless a handler is there already. */
export function ownFolder(t: Test): string {
  t.teardown(() => undefined);
  return t.testdir();
}

/** Opens a buffer in `folder` (a new one by default) and closes it when the test ends. */
export function openIn(
  t: Test,
  overrides: Partial<BufferSettings> = {},
  deps: Partial<BufferDeps> & { folder?: string } = {},
): TestBuffer {
  const { folder = ownFolder(t), ...others } = deps;
  const settings = settingsIn(folder, overrides);
  const captured = testLog();
  const buffer = openBuffer(settings, { now: () => NOW, log: captured.log, ...others });
  t.teardown(() => buffer.close());
  return { ...captured, buffer, settings };
}

/** The head of a reading as `validate` makes it. */
export function head(id: string, data = 0.97): Buffer {
  return Buffer.from(
    encodeHead({ id, data, type: "Power Factor", date: "2026-11-22T12:00:00.000Z", turbine: "T07" }),
  );
}

/** Appends readings `first` … `first + count - 1` and commits them; ids of those that were stored. */
export function store(buffer: ReadingBuffer, first: number, count: number): string[] {
  const stored: string[] = [];
  for (let number = first; number < first + count; number++) {
    const id = `PP_${number}`;
    buffer.append(head(id, (number * 7919) % 1000), "T07", NOW, 0, (error) => {
      if (error == null) stored.push(id);
    });
  }
  buffer.flush();
  return stored;
}

export interface Line {
  id: string;
  epoch: string;
  seq: number;
  gateway: string;
}

export function linesOf(body: Buffer): Line[] {
  return gunzipSync(body)
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Leases and delivers everything; the readings, in the order they came. */
export function drain(buffer: ReadingBuffer): Line[] {
  const lines: Line[] = [];
  for (let groups = buffer.lease(1e6); groups.length > 0; groups = buffer.lease(1e6)) {
    for (const group of groups) {
      lines.push(...linesOf(group.body));
      buffer.settle(group.groupKey, { outcome: "delivered" });
    }
  }
  buffer.flush();
  return lines;
}

/** Waits, a turn of the event loop at a time, until `condition` holds; throws after `limitMs`. */
export async function until(condition: () => boolean, limitMs = 20_000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain for: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
