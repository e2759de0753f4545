/** Raw objects far larger than Firehose writes: of 256 MB, and with a member that no text holds. OBJECT_MB, at most 340, makes them smaller. */

import { appendFileSync, createWriteStream, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip, gzipSync } from "node:zlib";
import t from "tap";
import { lakeFolder, objectName } from "../../cloud/local/helpers/lake.ts";
import { linesOf } from "../../cloud/local/helpers/producer.ts";

const OBJECT_MB = Number(process.env.OBJECT_MB ?? 256);
const MIB = 1024 ** 2;
const LINES_A_MIB = 16;
/** What a lake may hold besides a damaged object, and besides its largest member. */
const HELD_BYTES = 300 * MIB;

/** `mb` MiB of readings, a MiB at a time. */
function* texts(mb: number): Generator<string> {
  for (let seq = 1; seq <= mb * LINES_A_MIB; seq += LINES_A_MIB) {
    const lines = Array.from({ length: LINES_A_MIB }, (_, n) => linesOf(seq + n, seq + n).trim());
    yield lines.map((line) => `${line.padEnd(MIB / LINES_A_MIB - 1)}\n`).join("");
  }
}

interface Written {
  name: string;
  /** Unpacked. */
  mb: number;
  write(path: string): Promise<void> | void;
  /** What a lake may hold of it where it is torn, MiB. */
  tornMb: number;
}

const OBJECTS: Written[] = [
  {
    name: "as large packed, of many members",
    mb: OBJECT_MB,
    write(path) {
      for (const text of texts(OBJECT_MB)) appendFileSync(path, gzipSync(text, { level: 0 }));
    },
    tornMb: OBJECT_MB,
  },
  {
    name: "of one member",
    mb: 3 * OBJECT_MB,
    write: (path) =>
      pipeline(Readable.from(texts(3 * OBJECT_MB)), createGzip({ level: 1 }), createWriteStream(path)),
    // Unpacked into pieces, which are joined.
    tornMb: 2 * 3 * OBJECT_MB,
  },
];

for (const { name, mb, write, tornMb } of OBJECTS) {
  for (const torn of [false, true]) {
    t.test(`${mb} MiB ${name}${torn ? ", torn" : ""}`, async (t) => {
      const folder = lakeFolder(t.testdir());
      const path = join(folder.raw, objectName(1, "large"));
      mkdirSync(dirname(path), { recursive: true });
      await write(path);
      if (torn) appendFileSync(path, gzipSync(linesOf(1, 50)).subarray(0, 100));

      const before = process.memoryUsage.rss();
      let most = before;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage.rss());
      }, 20);
      const { rows, rejects } = await folder.refresh();
      clearInterval(watch);
      t.same([rows, rejects], [mb * LINES_A_MIB, torn ? { not_json: 1 } : {}]);
      const held = most - before;
      t.ok(held < HELD_BYTES + (torn ? tornMb * MIB : 0), `${Math.round(held / MIB)} MiB held`);
    });
  }
}
