/** Tells lines that are shipped readings from bytes that only look alike. */

import { isUtf8 } from "node:buffer";
import { SHIPPED_FIELDS } from "../contract/shipped.ts";

/** `day` and `dup` stand behind the others, each only if it is true. */
const KEYS = [...Object.keys(SHIPPED_FIELDS), "day", "dup"];
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
  const expected = KEYS.filter((key) => key in SHIPPED_FIELDS || key in fields);
  const isWhole = JSON.stringify(Object.keys(fields)) === JSON.stringify(expected);
  return isWhole && Object.entries(fields).every(isFit);
}

function isFit([key, value]: [string, unknown]): boolean {
  if (key === "day" || key === "dup") return value === true;
  if (key === "data") return typeof value === "number";
  if (key === "seq") return Number.isSafeInteger(value) && Number(value) > 0;
  if (typeof value !== "string") return false;
  return key !== "date" && key !== "received" ? true : TIME.test(value);
}
