/** Tells lines that are shipped readings from bytes that only look alike. */

import { isUtf8 } from "node:buffer";
import { SHIPPED_FIELDS } from "../contract/shipped.ts";

const KEYS = Object.keys(SHIPPED_FIELDS).filter((key) => key !== "day" && key !== "dup");
/** Behind the others, in this order, each only if it is true. */
const MARKS = ["day", "dup"];
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const NEWLINE = 0x0a;

/** The lines of `bytes` that are shipped readings, byte for byte, in their order. */
export function readableLines(bytes: Buffer): Buffer {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    if (end === -1) break;
    const line = bytes.subarray(start, end);
    if (isUtf8(line) && isShippedReading(line.toString("utf8"))) lines.push(bytes.subarray(start, end + 1));
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
  const marks = entries.slice(KEYS.length);
  if (KEYS.some((key, index) => key !== entries[index]?.[0])) return false;
  if (marks.some(([key, value]) => !MARKS.includes(key) || value !== true)) return false;
  if (marks.length > MARKS.length || (marks.length === MARKS.length && marks[0]?.[0] !== MARKS[0]))
    return false;
  return entries.slice(0, KEYS.length).every(([key, value]) => isFit(key, value));
}

function isFit(key: string, value: unknown): boolean {
  if (key === "data") return typeof value === "number";
  if (key === "seq") return Number.isSafeInteger(value) && Number(value) > 0;
  if (typeof value !== "string") return false;
  return key !== "date" && key !== "received" ? true : TIME.test(value);
}
