/**
 * Raw objects no engine reads as they are: torn members, bytes of others between them, lines that are no JSON. What can be
 * read of one is written out again, each line with its fields as strings or with the note that it has none, so that what is
 * bad costs itself only. The copy is for one use; the object stays as it is.
 */

import { isUtf8 } from "node:buffer";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { piecesOf } from "./members.ts";
import { isText, READING_COLUMNS, STATUS_COLUMNS } from "./raw-view.ts";

/** Characters of a line kept for whoever looks at the reject. */
const SHOWN_LINE_LENGTH = 4_096;
/** What is longer, its end counted in, is no line: an engine would not read it, and nobody can hold a gigabyte as a text. */
export const MAX_LINE_BYTES = 1024 ** 2;
/** What a UTF-8 text may begin with, and a line of JSON may not: DuckDB passes over it. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const NEWLINE = 0x0a;
/** The name of the key that says a line is no reading. */
const KIND = Buffer.from('"kind"');

/**
 * Whether an object is nothing but whole gzip members without overlong lines, which the engine reads as they are; and whether
 * it may hold lines of another kind than readings.
 */
export async function look(path: string): Promise<{ sound: boolean; kinds: boolean }> {
  const source = createReadStream(path);
  const gunzip = source.pipe(createGunzip());
  source.once("error", (error) => gunzip.destroy(error));
  let [before, begunBytes, marked, kinds, overlong] = [Buffer.alloc(0), 0, false, false, false];
  try {
    for await (const chunk of gunzip) {
      const newline = chunk.indexOf(NEWLINE);
      overlong ||= begunBytes + (newline < 0 ? chunk.length : newline + 1) > MAX_LINE_BYTES;
      begunBytes = newline < 0 ? begunBytes + chunk.length : chunk.length - 1 - chunk.lastIndexOf(NEWLINE);
      if (before.length === 0) marked = chunk.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
      kinds ||=
        chunk.includes(KIND) || Buffer.concat([before, chunk.subarray(0, KIND.length)]).includes(KIND);
      before = Buffer.concat([before, chunk.subarray(-KIND.length)]).subarray(-KIND.length);
    }
    // Zeros end the unpacking without a word, whatever follows them.
    const whole = gunzip.bytesWritten === (await stat(path)).size;
    return { sound: whole && !marked && !overlong, kinds };
  } catch {
    return { sound: false, kinds: true };
  }
}

/** Writes the tidy copy of the object at `path`; how many bytes of it were passed over. */
export async function tidy(object: string, path: string, copy: string): Promise<number> {
  let passedOver = 0;
  const bytes = await readFile(path);
  const rows = function* () {
    for (const piece of piecesOf(bytes)) {
      if ("member" in piece) {
        yield* rowsOf(object, piece.member);
        continue;
      }
      const { lines, lost } = linesBetween(piece.stretch);
      yield* lines.map((line) => row(object, line));
      if (lost > 0) yield rejectRow(object, `(${lost} bytes passed over)`);
      passedOver += lost;
    }
  };
  const texts = Readable.from(rows()).map((fields) => `${JSON.stringify(fields)}\n`);
  await mkdir(dirname(copy), { recursive: true });
  await pipeline(texts, createGzip({ level: 1 }), createWriteStream(copy));
  return passedOver;
}

function* rowsOf(object: string, member: Buffer): Generator<Row> {
  for (const part of partsOf(member)) {
    if (part.length > MAX_LINE_BYTES)
      yield rejectRow(object, part.toString("utf8", 0, 4 * SHOWN_LINE_LENGTH));
    else yield* linesOf(part.toString()).map((line) => row(object, line));
  }
}

/** `bytes` cut behind each newline. */
function* partsOf(bytes: Buffer): Generator<Buffer> {
  for (let from = 0, end = 0; from < bytes.length; from = end) {
    end = bytes.indexOf(NEWLINE, from) + 1 || bytes.length;
    yield bytes.subarray(from, end);
  }
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
}

/** Control characters but for blanks and the ends of lines. */
const CONTROLS = /[^\P{Cc}\t\r\n]/u;

/** Of bytes between members: those that are lines of text, and how many others there are. */
function linesBetween(stretch: Buffer): { lines: string[]; lost: number } {
  const lines: string[] = [];
  let lost = 0;
  for (const part of partsOf(stretch)) {
    const text = part.length <= MAX_LINE_BYTES && isUtf8(part) ? part.toString() : undefined;
    if (text === undefined || CONTROLS.test(text)) lost += part.length;
    else lines.push(...linesOf(text));
  }
  return { lines, lost };
}

type Row = Record<string, string | null>;

function row(object: string, line: string): Row {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return rejectRow(object, line);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) return rejectRow(object, line);
  const found = new Map<string, unknown>(Object.entries(json));
  const kind = found.get("kind");
  const [columns, says] =
    kind === "gateway" ? ([STATUS_COLUMNS, "gateway"] as const) : ([READING_COLUMNS, "reading"] as const);
  const fields: Row = { is_json: "true", raw_object: object, raw_line: shown(line) };
  for (const name of columns) fields[name] = asText(found.get(name), isText(name, says));
  // Whatever kind it is of, it is not a reading.
  if (typeof kind === "object" && kind !== null) fields.kind = "(no text)";
  return fields;
}

function rejectRow(object: string, line: string): Row {
  return { is_json: "false", raw_object: object, raw_line: shown(line) };
}

function shown(line: string): string {
  return wellFormed(line.slice(0, SHOWN_LINE_LENGTH));
}

/** A JSON string's text; a number or a truth value where the column takes them. */
function asText(value: unknown, textOnly: boolean): string | null {
  if (typeof value === "string") return wellFormed(value);
  return (typeof value === "number" || typeof value === "boolean") && !textOnly
    ? JSON.stringify(value)
    : null;
}

/** `text` with U+FFFD for each half of a surrogate pair, which no engine takes. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
