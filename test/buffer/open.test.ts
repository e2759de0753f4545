// Opening: one owner, O(1), older and newer schemas, and what can't be opened at all.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { crc32, deflateRawSync } from "node:zlib";
import Database from "better-sqlite3";
import { build } from "esbuild";
import t, { type Test } from "tap";
import { PAGE_BYTES } from "../../agent/buffer/connection.ts";
import { openBuffer } from "../../agent/buffer/open.ts";
import { statsOf } from "../../agent/buffer/tools/inspect.ts";
import { plainNode } from "../helpers/node.ts";
import { drain, linesOf, NOW, openIn, ownFolder, settingsIn, store, testLog, until } from "./setup.ts";

const deps = { now: () => NOW, log: testLog().log };
const here = import.meta.dirname;

/** The program of owner.ts as a file. */
async function ownerProgram(t: Test): Promise<string> {
  const outfile = join(ownFolder(t), "owner.mjs");
  await build({
    entryPoints: [join(here, "owner.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });
  return outfile;
}

function start(t: Test, program: string, path: string, options: { uid?: number } = {}): ChildProcess {
  const child = spawn(...plainNode([program, path]), {
    stdio: ["ignore", "pipe", "inherit"],
    ...options,
  });
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("the child has no output");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("the child said nothing");
}

t.test("a second process is refused while the first lives, and not a moment longer", async (t) => {
  const program = await ownerProgram(t);
  const settings = settingsIn(join(dirname(program), "buffer"));
  const owner = start(t, program, settings.path);
  t.equal(await firstLine(owner), "stored");
  t.throws(() => openBuffer(settings, deps), {
    code: "buffer.locked",
    message: new RegExp(`process ${owner.pid}`),
  });
  owner.kill("SIGKILL");
  await once(owner, "exit");
  const buffer = openBuffer(settings, deps);
  t.equal(drain(buffer).length, 1, "and what it acknowledged is there");
  await buffer.close();
});

t.test("a second buffer in the same process is refused too", async (t) => {
  const { settings } = openIn(t);
  t.throws(() => openBuffer(settings, deps), { code: "buffer.locked" });
});

const seesLocks = existsSync("/proc/locks");

t.test(
  "invariant 7, the lock is deleted: a second process is refused all the same, and readers are not",
  { skip: seesLocks ? false : "the kernel does not tell who has a file open" },
  async (t) => {
    const program = await ownerProgram(t);
    const settings = settingsIn(join(dirname(program), "buffer"));
    const owner = start(t, program, settings.path);
    t.equal(await firstLine(owner), "stored");
    unlinkSync(`${settings.path}.lock`);
    for (let tries = 2; tries > 0; tries--) {
      t.throws(() => openBuffer(settings, deps), {
        code: "buffer.locked",
        message: new RegExp(`process ${owner.pid}`),
      });
      t.match(statsOf(settings.path), { lastSeq: 1 });
    }
    // The file is there a moment before it is locked.
    await until(() => existsSync(`${settings.path}.lock`) && statsOf(settings.path).running);
    t.pass("the owner has made it again");
    owner.kill("SIGKILL");
    await once(owner, "exit");
    const buffer = openBuffer(settings, deps);
    t.equal(drain(buffer).length, 1);
    await buffer.close();
  },
);

t.test(
  "invariant 7: an owner whose lock another process has got writes nothing until it is free",
  async (t) => {
    const { buffer, settings, loud } = openIn(t);
    store(buffer, 0, 2);
    unlinkSync(`${settings.path}.lock`);
    const other = new Database(`${settings.path}.lock`);
    other.exec("BEGIN EXCLUSIVE");
    const told = store(buffer, 2, 1);
    t.same(told, []);
    t.match(buffer.status(), {
      state: "failed",
      problem: /^Another process took the buffer away: .+ belongs to/,
    });
    buffer.flush();
    t.same(told, []);
    other.close();
    // It stores readings, delivers one group, and leaves.
    const second = openIn(t, {}, { folder: dirname(settings.path) });
    store(second.buffer, 100, 3);
    second.buffer.settle(second.buffer.lease(1)[0]?.groupKey ?? 0, { outcome: "delivered" });
    await second.buffer.close();
    buffer.flush();
    t.same(told, ["PP_2"]);
    t.same(
      drain(buffer).map(({ id, seq }) => `${id} ${seq}`),
      ["PP_100 3", "PP_101 4", "PP_102 5", "PP_2 6"],
    );
    t.same(buffer.accounts(), { received: 6, buffered: 0, shipped: 6, rejected: 0, dropped: 0 });
    t.equal(loud().length, 1);
  },
);

t.test("a start does not depend on the backlog", async (t) => {
  const folder = ownFolder(t);
  const first = openIn(t, { maxBytes: 1e9 }, { folder });
  store(first.buffer, 0, 1);
  await first.buffer.close();
  // Written by hand: a commit each would take minutes.
  const db = new Database(first.settings.path);
  db.pragma("synchronous = OFF");
  db.exec(`
    WITH RECURSIVE n(k) AS (SELECT 2 UNION ALL SELECT k + 1 FROM n WHERE k < 300000)
    INSERT INTO groups SELECT k, 1, received, body FROM n, (SELECT * FROM groups WHERE key = 1);
    UPDATE state SET received = 300000, buffered = 300000, last_key = 300000;
  `);
  db.close();
  const started = performance.now();
  const { buffer } = openIn(t, { maxBytes: 1e9 }, { folder });
  const [group] = buffer.lease(1);
  t.ok(
    performance.now() - started < 1000,
    `opened and leased in ${Math.round(performance.now() - started)} ms`,
  );
  t.equal(group?.groupKey, 1);
  t.equal(buffer.accounts().buffered, 300_000);
});

/** A buffer file as schema 1 wrote it: seven readings of `abc123` received, four shipped, one rejected, two left. */
function schemaOne(path: string): void {
  const db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.exec(`
    CREATE TABLE groups (key INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
      received INTEGER NOT NULL, codec INTEGER NOT NULL, crc INTEGER, body BLOB NOT NULL) STRICT;
    CREATE TABLE rejects (number INTEGER PRIMARY KEY, received INTEGER NOT NULL, count INTEGER NOT NULL,
      bytes INTEGER NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL) STRICT;
    CREATE TABLE state (id INTEGER PRIMARY KEY, epoch TEXT, born INTEGER, epoch_base INTEGER, last_key INTEGER,
      salvaged_key INTEGER, commits INTEGER, received INTEGER, buffered INTEGER, shipped INTEGER, rejected INTEGER,
      dropped INTEGER, rejects_kept INTEGER, rejects_bytes INTEGER) STRICT;
    INSERT INTO state VALUES (1, 'abc123', 0, 0, 7, -4503599627370496, 9, 7, 2, 4, 1, 0, 1, 80);
    INSERT INTO rejects VALUES (1, 0, 1, 80, 'no_id', 'no id', 'windfarm/T07/x', x'7b7d');
    PRAGMA user_version = 1;
    PRAGMA application_id = ${0x57464200 + 1};
  `);
  const line = (seq: number) =>
    Buffer.from(
      `{"id":"PP_${seq}","data":1,"type":"Power Factor","date":"2026-11-22T12:00:00.000Z","turbine":"T07","gateway":"gw-01","epoch":"abc123","seq":${seq},"received":"2026-11-22T12:00:00.112Z"}\n`,
    );
  const insert = db.prepare("INSERT INTO groups VALUES (?, 1, ?, ?, ?, ?, ?)");
  const deflated = deflateRawSync(line(7));
  insert.run(6, line(6).length, NOW, 0, crc32(line(6)), line(6));
  insert.run(7, line(7).length, NOW, 1, crc32(deflated), deflated);
  db.close();
}

t.test("a buffer of schema 1 is read into a new file, its readings keep epoch and seq", async (t) => {
  const folder = ownFolder(t);
  schemaOne(settingsIn(folder).path);
  const { buffer, loud } = openIn(t, {}, { folder });
  t.not(buffer.epoch, "abc123");
  t.equal(store(buffer, 100, 1).length, 1, "stores at once");
  await until(() => buffer.status().aside.length === 1 && buffer.accounts().buffered === 3);
  t.match(loud()[0], { problem: "an earlier windfarm wrote it, with schema 1" });
  t.same(
    drain(buffer).map(({ epoch, seq, id }) => `${epoch} ${seq} ${id}`),
    ["abc123 6 PP_6", "abc123 7 PP_7", `${buffer.epoch} 1 PP_100`],
  );
  t.match(buffer.accounts(), { received: 4, shipped: 3, rejected: 1 });
  t.match(buffer.status().recovered.join(" "), /2 of 2 readings and 1 rejects were saved/);
});

t.test("a newer schema is refused and left alone", async (t) => {
  const folder = ownFolder(t);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 1);
  await first.buffer.close();
  const db = new Database(first.settings.path);
  db.pragma("user_version = 9");
  db.pragma(`application_id = ${0x57464200 + 9}`);
  db.close();
  t.throws(() => openBuffer(first.settings, deps), { code: "buffer.newer", message: /schema 9/ });
  t.same(
    readdirSync(folder).filter((name) => name.includes("damaged")),
    [],
  );
});

t.test("another program's database is refused and left alone", async (t) => {
  const settings = settingsIn(ownFolder(t));
  const db = new Database(settings.path);
  db.exec("CREATE TABLE photos (path TEXT)");
  db.close();
  t.throws(() => openBuffer(settings, deps), { code: "buffer.foreign", message: /photos/ });
});

const root = process.getuid?.() === 0;
const NOBODY = 65_534;

t.test("a buffer of another user, or without the right to write, says who owns it", async (t) => {
  const program = await ownerProgram(t);
  const folder = join(dirname(program), "buffer");
  mkdirSync(folder);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 1);
  await first.buffer.close();
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o400);
  chmodSync(folder, 0o755);
  if (root) chownSync(folder, NOBODY, NOBODY);
  const child = start(t, program, first.settings.path, root ? { uid: NOBODY } : {});
  const said = JSON.parse(await firstLine(child));
  t.equal(said.code, "buffer.unwritable");
  t.match(said.message, /belongs to user \d+ with mode 400/);
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o600);
});

t.test("a path that can't be a file, or a folder that can't be made, is one clear Fault", async (t) => {
  const folder = t.testdir({ "buffer.db": {}, file: "" });
  t.throws(() => openBuffer(settingsIn(folder), deps), { code: "buffer.unwritable" });
  t.throws(() => openBuffer(settingsIn(join(folder, "file", "below")), deps), { code: "buffer.unwritable" });
});

t.test("a folder that is missing is made", async (t) => {
  const settings = settingsIn(join(ownFolder(t), "a", "b"));
  const buffer = openBuffer(settings, deps);
  store(buffer, 0, 1);
  await buffer.close();
  t.ok(readdirSync(dirname(settings.path)).includes("buffer.db"));
});

/** A buffer of 300 readings as a power cut leaves it, its log beside it; the copy's folder. */
async function cutOff(t: Test): Promise<string> {
  const top = ownFolder(t);
  mkdirSync(join(top, "copy"));
  const { buffer, settings } = openIn(t, {}, { folder: join(top, "source") });
  for (let group = 0; group < 30; group++) store(buffer, group * 10, 10);
  for (const part of ["", "-wal", ".lock"])
    copyFileSync(`${settings.path}${part}`, join(top, "copy", `buffer.db${part}`));
  await buffer.close();
  return join(top, "copy");
}

t.test(
  "a power cut that leaves the log whole: the epoch goes on, and what can't be told is told",
  async (t) => {
    const folder = await cutOff(t);
    const { buffer, loud, lines } = openIn(t, {}, { folder });
    t.equal(store(buffer, 900, 1).length, 1);
    t.same(
      drain(buffer).map(({ seq }) => seq),
      Array.from({ length: 301 }, (_, index) => index + 1),
    );
    t.same(loud(), []);
    t.ok(lines.some(({ msg }) => /up to seq 300 .+ whether its log was longer can't be told/.test(msg)));
  },
);

t.test(
  "invariant 2, a log damaged in the middle: a new epoch begins, and none is called complete",
  async (t) => {
    const folder = await cutOff(t);
    const log = `${settingsIn(folder).path}-wal`;
    const bytes = readFileSync(log);
    bytes.fill(0, 15_000, 15_512);
    writeFileSync(log, bytes);
    const { buffer, loud } = openIn(t, {}, { folder });
    const fresh = store(buffer, 900, 1);
    t.equal(fresh.length, 1, "stores at once");
    const lines = drain(buffer);
    const [before, after] = [lines.slice(0, -1), lines.at(-1)];
    t.ok(before.length > 0 && before.length < 300, `${before.length} of 300 readings are there`);
    t.same([after?.id, after?.seq], ["PP_900", 1]);
    t.notOk(
      before.some(({ epoch }) => epoch === after?.epoch),
      "no seq that may have left is given again",
    );
    t.match(
      loud()[0]?.msg,
      /ends in writes that can't be read.+if the log was damaged, newer readings are lost/,
    );
  },
);

t.test("each new file is a new epoch", async (t) => {
  const epochs = new Set<string>();
  for (const name of ["a", "b", "c"]) {
    const buffer = openBuffer(settingsIn(join(t.testdirName, name)), deps);
    epochs.add(buffer.epoch);
    store(buffer, 0, 1);
    t.equal(linesOf(buffer.lease(1)[0]?.body ?? Buffer.alloc(0))[0]?.epoch, buffer.epoch);
    await buffer.close();
  }
  t.equal(epochs.size, 3);
  for (const epoch of epochs) t.match(epoch, /^[0-9a-z]{6}$/);
});

t.test("a damaged file that was not read to the end is taken up again by the next start", async (t) => {
  const folder = ownFolder(t);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 500);
  await first.buffer.close();
  writeFileSync(first.settings.path, Buffer.alloc(PAGE_BYTES), { flag: "r+" });
  const second = openIn(t, {}, { folder });
  await second.buffer.close();
  const third = openIn(t, {}, { folder });
  while (third.buffer.accounts().buffered < 500) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(drain(third.buffer).length, 500);
});
