/**
 * Raw objects no engine reads as they are: cut short, not gzip, with lines that are no JSON. What can be read of one is
 * written out again, each line with its fields as strings or with the note that it has none, so that a bad line costs
 * that line only. The copy is a pure function of the object, which stays as it is.
 */

import { createReadStream } from "node:fs";
import { promisify } from "node:util";
import { constants, createGunzip, gzip } from "node:zlib";
import { LAYOUT, type Layout, rawReadingColumns } from "../layout.ts";
import { writeDurably } from "./durable-files.ts";
import { isText } from "./raw-view.ts";

const compress = promisify(gzip);

/** Where tidy copies lie, below the lake's folder. */
export const TIDIED_FOLDER = "tidied";
/** Characters of a line kept for whoever looks at the reject. */
export const SHOWN_LINE_LENGTH = 4_096;
/** Unpacked bytes of an object that are looked at; Firehose's largest buffer is half of it. */
export const MAX_TIDY_BYTES = 256 * 1024 * 1024;

const CUT_SHORT = "(the object is cut short)";

/** What a UTF-8 text may begin with, and a line of JSON may not: DuckDB passes over it. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Whether a gzip file can be read to its end, and whether it begins with a byte order mark. */
export async function lookAt(path: string): Promise<{ whole: boolean; marked: boolean }> {
  const source = createReadStream(path);
  const gunzip = source.pipe(createGunzip());
  source.once("error", (error) => gunzip.destroy(error));
  let marked: boolean | undefined;
  try {
    for await (const chunk of gunzip) {
      marked ??= chunk.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    }
    return { whole: true, marked: marked ?? false };
  } catch {
    return { whole: false, marked: marked ?? false };
  }
}

/** Writes the tidy copy of the object at `path`. */
export async function tidy(
  object: string,
  path: string,
  copy: string,
  layout: Layout = LAYOUT,
): Promise<void> {
  const { whole } = await lookAt(path);
  const lines = (await readable(path)).toString("utf8").split(/\r\n|\n|\r/);
  const rows = lines.filter((line) => line.trim() !== "").map((line) => row(layout, object, line));
  // A cut in the middle of a line shows by itself; one between two lines is told here.
  if (!whole && rows.at(-1)?.is_json !== "false") rows.push(rejectRow(object, CUT_SHORT));
  await writeDurably(copy, await compress(`${rows.map((fields) => JSON.stringify(fields)).join("\n")}\n`));
}

type Row = Record<string, string | null>;

function row(layout: Layout, object: string, line: string): Row {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return rejectRow(object, line);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) return rejectRow(object, line);
  const fields: Row = { is_json: "true", raw_object: object, raw_line: shown(line) };
  const found = new Map(Object.entries(json));
  for (const { name } of rawReadingColumns(layout))
    fields[name] = asText(found.get(name), isText(name, layout));
  return fields;
}

function rejectRow(object: string, line: string): Row {
  return { is_json: "false", raw_object: object, raw_line: shown(line) };
}

function shown(line: string): string {
  return wellFormed(line.slice(0, SHOWN_LINE_LENGTH));
}

/** A JSON string's text, or whatever stands there as JSON where the column takes more than texts. */
function asText(value: unknown, textOnly: boolean): string | null {
  if (typeof value === "string") return wellFormed(value);
  return textOnly || value === undefined || value === null ? null : JSON.stringify(value);
}

/** `text` with U+FFFD for each half of a surrogate pair, which no engine takes. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

/** All that can be unpacked, as far as it goes. */
function readable(path: string): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const source = createReadStream(path);
    const gunzip = source.pipe(createGunzip({ finishFlush: constants.Z_SYNC_FLUSH }));
    const done = () => resolve(Buffer.concat(chunks));
    gunzip.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_TIDY_BYTES) return gunzip.destroy();
      chunks.push(chunk);
    });
    source.once("error", () => gunzip.destroy());
    gunzip.once("error", done).once("close", done);
  });
}
