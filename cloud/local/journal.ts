/**
 * What Kinesis accepted, on disk before the answer goes out, and the payloads that kinesis-local is spared.
 *
 * kinesis-local keeps its records in memory, and spends some 50 ms of processor time on a record of 50 KB, nearly all of
 * it on the payload. So it gets a token in the payload's place (claim.ts), and the payloads are here: in memory until the
 * delivery has taken them, and in a file, fsync'd after kinesis-local took the record and before the producer hears so.
 * That makes its "accepted" mean what the real one means.
 *
 * One folder is one life of a kinesis-local, for sequence numbers start again with each:
 *   journal.ndjson    the records: shard, sequence number, time of arrival, payload in base64
 *   checkpoint.json   how far the delivery is: what lies behind it is in a raw object, fsync'd
 */

import { createReadStream, existsSync } from "node:fs";
import { type FileHandle, mkdir, open, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { codeOf } from "../../agent/errors.ts";
import { syncFolder, writeDurably } from "./durable-files.ts";
import { Positions } from "./positions.ts";

/** A record as the stream holds it. */
export interface StreamRecord {
  shard: string;
  sequence: string;
  data: Buffer;
  /** ms since 1970. */
  arrivedMs: number;
}

const JOURNAL = "journal.ndjson";
const CHECKPOINT = "checkpoint.json";
const Line = z.tuple([z.string(), z.string(), z.number(), z.string()]);
const Checkpoint = z.object({ shards: z.record(z.string(), z.string()) });

/** Where a record's line stands in the file. */
export interface Place {
  offset: number;
  length: number;
}

interface Waiting {
  lines: Buffer[];
  done: (places: Place[]) => void;
  failed: (error: unknown) => void;
}

export class Journal {
  readonly #folder: string;
  #file: FileHandle | undefined;
  #end = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    this.#file = await open(join(this.#folder, JOURNAL), "w+");
    await syncFolder(this.#folder);
  }

  /** Resolves when the records are on disk, with their places. Calls made while one fsync runs share the next. */
  append(records: readonly StreamRecord[]): Promise<Place[]> {
    const lines = records.map(({ shard, sequence, arrivedMs, data }) =>
      Buffer.from(`${JSON.stringify([shard, sequence, arrivedMs, data.toString("base64")])}\n`),
    );
    return new Promise((done, failed) => {
      this.#waiting.push({ lines, done, failed });
      this.#writing ??= this.#writeAll();
    });
  }

  /** The payload of the record at `place`. */
  async read({ offset, length }: Place): Promise<Buffer | undefined> {
    const line = Buffer.alloc(length);
    await this.#file?.read(line, 0, length, offset);
    return parseLine(line.toString())?.data;
  }

  /** Notes how far the delivery is. */
  async settle(delivered: Positions): Promise<void> {
    const text = JSON.stringify({ shards: Object.fromEntries(delivered.entries()) });
    await writeDurably(join(this.#folder, CHECKPOINT), text);
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        const start = this.#end;
        await this.#write(Buffer.concat(group.flatMap(({ lines }) => lines)));
        let offset = start;
        for (const { lines, done } of group) {
          const places = lines.map(({ length }) => {
            offset += length;
            return { offset: offset - length, length };
          });
          done(places);
        }
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    this.#writing = undefined;
  }

  async #write(bytes: Buffer): Promise<void> {
    const file = this.#file;
    if (file === undefined) throw new TypeError("the journal is not open");
    try {
      await file.write(bytes, 0, bytes.length, this.#end);
      await file.datasync();
      this.#end += bytes.length;
    } catch (error) {
      // Half a line must not stay before whole ones.
      await truncate(join(this.#folder, JOURNAL), this.#end).catch(() => {});
      throw error;
    }
  }
}

/** The records a journal's folder holds that were not delivered; a line torn by a power cut is none. */
export async function* undelivered(folder: string): AsyncGenerator<StreamRecord> {
  const delivered = await checkpointOf(folder);
  const path = join(folder, JOURNAL);
  if (!existsSync(path)) return;
  for await (const text of createInterface({ input: createReadStream(path) })) {
    const record = parseLine(text);
    if (record !== undefined && !delivered.has(record.shard, record.sequence)) yield record;
  }
}

async function checkpointOf(folder: string): Promise<Positions> {
  try {
    const text = await readFile(join(folder, CHECKPOINT), "utf8");
    return new Positions(Object.entries(Checkpoint.parse(JSON.parse(text)).shards));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return new Positions();
    throw error;
  }
}

function parseLine(text: string): StreamRecord | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const line = Line.safeParse(json);
  if (!line.success) return undefined;
  const [shard, sequence, arrivedMs, data] = line.data;
  return { shard, sequence, arrivedMs, data: Buffer.from(data, "base64") };
}
