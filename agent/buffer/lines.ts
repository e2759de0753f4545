/** Tells lines that are shipped readings from bytes that only look alike. */

import { SHIPPED_FIELDS } from "../contract/shipped.ts";

const KEYS = Object.keys(SHIPPED_FIELDS);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NEWLINE = 0x0a;

/** The lines of `bytes` that are shipped readings, byte for byte, in their order. */
export function readableLines(bytes: Buffer): Buffer {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) break;
    if (isShippedReading(bytes.toString("utf8", start, end))) lines.push(bytes.subarray(start, end + 1));
    start = end + 1;
  }
  return Buffer.concat(lines);
}

/** True for one line, without its newline, that holds exactly what the contract says. */
export function isShippedReading(line: string): boolean {
  let fields: unknown;
  try {
    fields = JSON.parse(line);
  } catch {
    return false;
  }
  if (typeof fields !== "object" || fields === null) return false;
  const entries = Object.entries(fields);
  if (entries.length !== KEYS.length || entries.some(([key], index) => key !== KEYS[index])) return false;
  return entries.every(([key, value]) => isFit(key, value));
}

function isFit(key: string, value: unknown): boolean {
  if (key === "data") return typeof value === "number";
  if (key === "seq") return Number.isSafeInteger(value) && Number(value) > 0;
  // A byte that is no UTF-8 comes out as U+FFFD.
  if (typeof value !== "string" || value.includes("\ufffd")) return false;
  return key !== "date" && key !== "received" ? true : TIME.test(value);
}
