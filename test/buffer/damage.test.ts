// Promise 5: whatever has become of the file, the buffer opens, sets it aside, saves what can be read, says so.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { openReadOnly, PAGE_BYTES as PAGE } from "../../agent/buffer/connection.ts";
import { inBalance } from "../../agent/buffer/state.ts";
import type { ReadingBuffer } from "../../agent/buffer/types.ts";
import { drain, type Line, openIn, ownFolder, settingsIn, store, until } from "./setup.ts";

const GROUPS = 150;
const EACH = 40;
const TOTAL = GROUPS * EACH;

interface Damage {
  name: string;
  /** Whether the log is still beside the file, as after a power cut. */
  withLog?: boolean;
  harm(path: string): void;
  /** Readings that must be saved at least. */
  atLeast: number;
  /** True where nothing is set aside. */
  usable?: boolean;
}

const DAMAGES: Damage[] = [
  { name: "missing", harm: (path) => unlinkSync(path), atLeast: 0, usable: true },
  { name: "emptied", harm: (path) => truncateSync(path, 0), atLeast: 0, usable: true },
  {
    name: "truncated by one page",
    harm: (path) => truncateSync(path, size(path) - PAGE),
    atLeast: TOTAL - 15 * EACH,
  },
  // The inner pages of so small a table stand in its second half.
  { name: "truncated to half", harm: (path) => truncateSync(path, size(path) >>> 1), atLeast: 0 },
  {
    name: "cut in the middle of a page",
    harm: (path) => truncateSync(path, size(path) - 1000),
    atLeast: TOTAL - 15 * EACH,
  },
  { name: "first page zeroed", harm: (path) => zero(path, 0, PAGE), atLeast: TOTAL },
  { name: "all zeroed", harm: (path) => zero(path, 0, size(path)), atLeast: 0 },
  {
    name: "a stretch in the middle zeroed",
    harm: (path) => zero(path, PAGE * 6, PAGE * 3),
    atLeast: TOTAL / 2,
  },
  { name: "not a database", harm: (path) => writeFileSync(path, "Dear diary,\n".repeat(1000)), atLeast: 0 },
  { name: "a bit flipped in the header", harm: (path) => flip(path, 17, 4), atLeast: TOTAL },
  { name: "a bit flipped in the schema's version", harm: (path) => flip(path, 63, 1), atLeast: TOTAL },
  {
    name: "a bit flipped in the table list",
    harm: (path) => flip(path, 900, 3),
    atLeast: TOTAL,
    usable: true,
  },
  {
    name: "a bit flipped in a group's body",
    harm: (path) => flipInBody(path),
    atLeast: TOTAL - EACH,
    usable: true,
  },
  {
    name: "the table of groups without its root",
    harm: (path) => zero(path, rootOf(path, "groups"), PAGE),
    atLeast: 0,
  },
  { name: "the accounts zeroed", harm: (path) => zero(path, rootOf(path, "state"), PAGE), atLeast: TOTAL },
  {
    name: "log: garbage behind its end",
    withLog: true,
    harm: (path) => garbageBehind(`${path}-wal`),
    atLeast: TOTAL,
    usable: true,
  },
  {
    name: "log: garbage all over",
    withLog: true,
    harm: (path) => writeFileSync(`${path}-wal`, garbage(80_000)),
    atLeast: 0,
    usable: true,
  },
  {
    name: "log: a bit flipped in its header",
    withLog: true,
    harm: (path) => flip(`${path}-wal`, 17, 2),
    atLeast: 0,
    usable: true,
  },
  {
    name: "log: a bit flipped in the middle",
    withLog: true,
    harm: (path) => flip(`${path}-wal`, lastFrameOf(`${path}-wal`) >>> 1, 5),
    atLeast: TOTAL / 3,
    usable: true,
  },
  {
    name: "log: a bit flipped in the last commit",
    withLog: true,
    harm: (path) => flip(`${path}-wal`, lastFrameOf(`${path}-wal`) + 500, 5),
    atLeast: TOTAL - EACH,
    usable: true,
  },
  {
    name: "log: cut in the middle of a frame",
    withLog: true,
    harm: (path) => truncateSync(`${path}-wal`, lastFrameOf(`${path}-wal`) - 500),
    atLeast: TOTAL - EACH,
    usable: true,
  },
  { name: "log without its file", withLog: true, harm: (path) => unlinkSync(path), atLeast: TOTAL },
  {
    name: "log beside an emptied file",
    withLog: true,
    harm: (path) => truncateSync(path, 0),
    atLeast: TOTAL,
  },
];

t.test("every kind of damage", { timeout: 100_000 }, async (t) => {
  const table: string[][] = [["what was wrong", "saved", "of", "lost twice", "what was said"]];
  for (const damage of DAMAGES) {
    await t.test(damage.name, async (t) => {
      const folder = await harmedCopy(t, damage);
      const started = performance.now();
      const { buffer, loud } = openIn(t, {}, { folder });
      t.ok(performance.now() - started < 2000, "starts in less than two seconds");
      const fresh = store(buffer, 900_000, 1);
      t.equal(fresh.length, 1, "stores again at once");
      const saved = await everything(folder, buffer);
      const different = new Set(saved.map(({ epoch, seq }) => `${epoch} ${seq}`));
      t.ok(
        different.size >= damage.atLeast,
        `${different.size} of ${TOTAL} readings saved, at least ${damage.atLeast}`,
      );
      t.ok(
        saved.every(({ id, seq }) => id === `PP_${seq - 1}`),
        "each is the reading it was",
      );
      t.ok(inBalance(buffer.accounts()), "the accounts are in balance");
      if (damage.usable !== true) t.ok(asideIn(folder).length > 0, "the file is set aside");
      const said = loud().map(({ msg }) => msg.replaceAll(/-\d{8}T\d{6}Z/g, ""));
      table.push([
        damage.name,
        String(different.size),
        String(TOTAL),
        String(saved.length - different.size),
        said.join(" | ") || "nothing",
      ]);
    });
  }
  t.comment(table.map((row) => row.join("  |  ")).join("\n"));
});

/** All that can be leased until what was set aside is read to the end, also what is only found damaged on the way. */
async function everything(folder: string, buffer: ReadingBuffer): Promise<Line[]> {
  const lines: Line[] = [];
  for (let more = 1; more > 0; ) {
    await until(() => allRead(folder) && buffer.status().state === "storing");
    const leased = drain(buffer);
    lines.push(...leased);
    more = leased.length;
  }
  return lines.filter(({ id }) => id !== "PP_900000");
}

/** A copy of a buffer of `TOTAL` readings as a power cut leaves it, or as an orderly stop does, with the damage done. */
async function harmedCopy(t: Test, damage: Damage): Promise<string> {
  const folder = ownFolder(t);
  const source = join(folder, "source");
  const { buffer, settings } = openIn(t, {}, { folder: source });
  for (let group = 0; group < GROUPS; group++) store(buffer, group * EACH, EACH);
  const copy = join(folder, "copy");
  mkdirSync(copy, { recursive: true });
  const target = settingsIn(copy).path;
  if (damage.withLog === true) {
    copyFileSync(settings.path, target);
    copyFileSync(`${settings.path}-wal`, `${target}-wal`);
    await buffer.close();
  } else {
    await buffer.close();
    copyFileSync(settings.path, target);
  }
  copyFileSync(`${settings.path}.lock`, `${target}.lock`);
  damage.harm(target);
  return copy;
}

function allRead(folder: string): boolean {
  return asideIn(folder).every((name) => existsSync(join(folder, `${name}.json`)));
}

function asideIn(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.includes(".damaged-"));
  return [...new Set(names.map((name) => name.replace(/(-wal|-shm|\.header|\.json)$/, "")))];
}

function size(path: string): number {
  return statSync(path).size;
}

function change(path: string, work: (bytes: Buffer) => void): void {
  const bytes = readFileSync(path);
  work(bytes);
  writeFileSync(path, bytes);
}

function zero(path: string, from: number, length: number): void {
  change(path, (bytes) => bytes.fill(0, from, from + length));
}

function flip(path: string, place: number, bit: number): void {
  change(path, (bytes) => bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << bit), place));
}

function flipInBody(path: string): void {
  const db = openReadOnly(path);
  const body = db.prepare<[], Buffer>("SELECT body FROM groups LIMIT 1 OFFSET 7").pluck().get();
  db.close();
  if (body === undefined) throw new Error("no eighth group");
  flip(path, readFileSync(path).indexOf(body.subarray(20, 60)) + 15, 3);
}

function rootOf(path: string, table: string): number {
  const db = openReadOnly(path);
  const root = db
    .prepare<[string], number>("SELECT rootpage FROM sqlite_master WHERE name = ?")
    .pluck()
    .get(table);
  db.close();
  return (Number(root) - 1) * PAGE;
}

function garbage(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 2_654_435_761) % 251));
}

function garbageBehind(path: string): void {
  change(path, () => undefined);
  writeFileSync(path, Buffer.concat([readFileSync(path), garbage(30_000)]));
}

function lastFrameOf(path: string): number {
  const bytes = readFileSync(path);
  const salt = bytes.subarray(16, 24);
  let last = 0;
  for (let at = 32; at + 16 < bytes.length; at += PAGE + 24)
    if (salt.equals(bytes.subarray(at + 8, at + 16))) last = at;
  return last + 24;
}
