/** Finds readings on a page whose rows make no sense any more. */

import { PAGE_BYTES } from "./connection.ts";
import { readableLines } from "./lines.ts";

const LINE_START = '{"id":';

/** Readings that stand on a page as plain text, whatever surrounds them. */
export function looseLines(page: Buffer): Buffer {
  const lines: Buffer[] = [];
  for (
    let at = page.indexOf(LINE_START);
    at !== -1 && at < PAGE_BYTES;
    at = page.indexOf(LINE_START, at + 1)
  ) {
    const end = page.indexOf(0x0a, at);
    if (end === -1) break;
    lines.push(readableLines(page.subarray(at, end + 1)));
  }
  return Buffer.concat(lines);
}
