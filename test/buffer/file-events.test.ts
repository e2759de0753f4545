// Whatever happens to the file while an agent runs, or before it starts: it is noticed, named, and nothing acknowledged is lost.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { LEAST_BALLAST_BYTES } from "../../agent/buffer/ballast.ts";
import { openBuffer } from "../../agent/buffer/open.ts";
import { EVENT_LOOP, type Timers } from "../../agent/buffer/timers.ts";
import { codeOf } from "../../agent/errors.ts";
import {
  drain,
  head,
  type Line,
  NOW,
  openIn,
  ownFolder,
  settingsIn,
  store,
  testLog,
  until,
} from "./setup.ts";

const LOST = ["buffer.db", "buffer.db-wal"] as const;

for (const name of LOST) {
  t.test(`invariant 7, ${name} is deleted: nothing more is acknowledged into it, all is saved`, async (t) => {
    const folder = ownFolder(t);
    const { buffer, loud } = openIn(t, {}, { folder });
    for (let group = 0; group < 10; group++) store(buffer, group * 100, 100);
    const states: string[] = [];
    buffer.onState((state) => states.push(state));
    unlinkSync(join(folder, name));
    const told: string[] = [];
    buffer.append(head("PP_1000"), "T07", NOW, 0, () => void told.push(buffer.epoch));
    const { epoch } = buffer;
    buffer.flush();
    t.same(told, [], "told only once it is in the new file");
    t.match(buffer.status().problem, /somebody deleted or replaced/);
    await until(() => told.length > 0);
    t.not(told[0], epoch, "a new file is a new epoch");
    t.same(states, ["failed", "storing"]);
    const lines: Line[] = [];
    await until(() => lines.push(...drain(buffer)) >= 1001);
    t.same(new Set(lines.map(({ id }) => id)).size, 1001);
    t.ok(lines.every(({ id, seq, epoch: of }) => of !== epoch || id === `PP_${seq - 1}`));
    t.equal(loud().filter(({ level }) => level >= 50).length >= 1, true);
    await until(() => buffer.accounts().buffered === 0);
    await buffer.close();
    const again = openIn(t, {}, { folder });
    t.equal(again.buffer.accounts().buffered, 0);
  });
}

t.test(
  "invariant 7, the file is replaced by another: noticed without a reading, and all is saved",
  async (t) => {
    const folder = ownFolder(t);
    const other = openIn(t, {}, { folder: join(folder, "other") });
    store(other.buffer, 5000, 3);
    await other.buffer.close();
    const { buffer } = openIn(t, {}, { folder });
    store(buffer, 0, 100);
    renameSync(other.settings.path, join(folder, "buffer.db"));
    const ids = new Set<string>();
    await until(() => {
      for (const { id } of drain(buffer)) ids.add(id);
      return ids.size === 103;
    });
    t.ok(ids.has("PP_99") && ids.has("PP_5002"));
  },
);

t.test(
  "invariant 7, two files are deleted one after the other: both are read through their connections",
  async (t) => {
    const folder = ownFolder(t);
    const { buffer } = openIn(t, {}, { folder, now: Date.now });
    // Enough for more steps of the salvage than one.
    for (let group = 0; group < 30; group++) store(buffer, group * 1000, 1000);
    const ids = new Set<string>();
    for (const id of ["PP_A", "PP_B"]) {
      for (const part of ["buffer.db", "buffer.db-wal"]) unlinkSync(join(folder, part));
      const told: string[] = [];
      buffer.append(head(id), "T07", NOW, 0, () => void told.push(id));
      buffer.flush();
      await until(() => told.length > 0);
    }
    await until(() => {
      for (const line of drain(buffer)) ids.add(line.id);
      return ids.size === 30_002;
    });
  },
);

const root = process.getuid?.() === 0;
const skip = root ? false : "mounting a tmpfs needs root";

function mount(t: Test, options: string): string {
  const folder = mkdtempSync(join(tmpdir(), "windfarm-"));
  t.teardown(() => rmdirSync(folder));
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]);
  t.teardown(() => execFileSync("umount", ["-l", folder]));
  return folder;
}

/** Writes to `path` until the disk has no room. */
function fill(path: string): void {
  for (const bytes of [256 * 1024, 4096]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(bytes, "x"), { flag: "a" });
    } catch (error) {
      if (codeOf(error) !== "ENOSPC") throw error;
    }
  }
}

function large(number: number): Buffer {
  return head(`${number}:${randomBytes(3700).toString("base64url")}`);
}

t.test(
  "a disk that is full at the start gives up the ballast: it starts, ships and recovers",
  { skip },
  async (t) => {
    const folder = mount(t, "size=40m");
    const first = openIn(t, { ballastBytes: 1 }, { folder, now: Date.now });
    for (let number = 0; number < 500; number++)
      first.buffer.append(large(number), "T07", NOW, 0, () => undefined);
    first.buffer.flush();
    const ballast = `${first.settings.path}.ballast`;
    await until(() => statSync(ballast, { throwIfNoEntry: false })?.size === LEAST_BALLAST_BYTES);
    await first.buffer.close();
    fill(join(folder, "someone-elses"));

    const { buffer, loud } = openIn(t, { ballastBytes: 1 }, { folder, now: Date.now });
    t.notOk(statSync(ballast, { throwIfNoEntry: false }), "the ballast is given up");
    t.match(loud()[0]?.msg, /disk is full.+ballast is given up/);
    t.equal(drain(buffer).length, 500);
    t.equal(store(buffer, 0, 1).length, 1, "the room that was freed is used again");
    unlinkSync(join(folder, "someone-elses"));
    await until(() => statSync(ballast, { throwIfNoEntry: false })?.size === LEAST_BALLAST_BYTES);
  },
);

t.test(
  "a disk without inodes, and one mounted read-only, are named as what they are",
  { skip },
  async (t) => {
    const folder = mount(t, "size=40m,nr_inodes=40");
    const first = openIn(t, {}, { folder });
    await first.buffer.close();
    for (let left = statfsSync(folder).ffree; left > 0; left--)
      writeFileSync(join(folder, `file-${left}`), "");
    const deps = { now: () => NOW, log: testLog().log };
    t.throws(() => openBuffer(settingsIn(folder), deps), { message: /has no inodes left/ });
    for (const name of readdirSync(folder)) if (name.startsWith("file-")) unlinkSync(join(folder, name));

    const { buffer } = openIn(t, {}, { folder });
    await buffer.close();
    execFileSync("mount", ["-o", "remount,ro", folder]);
    t.throws(() => openBuffer(settingsIn(folder), deps), {
      code: "buffer.unwritable",
      message: /mounted read-only/,
      hint: /mount it again/,
    });
    execFileSync("mount", ["-o", "remount,rw", folder]);
  },
);

t.test(
  "a quota lowered below the content on a full disk: no spinning, and it recovers",
  { skip },
  async (t) => {
    const folder = mount(t, "size=40m");
    const first = openIn(t, { maxBytes: 16e6 }, { folder });
    for (let number = 0; number < 1500; number++)
      first.buffer.append(large(number), "T07", NOW, 0, () => undefined);
    first.buffer.flush();
    await first.buffer.close();
    let wakeUps = 0;
    const count = (run: () => void) => () => {
      wakeUps++;
      run();
    };
    const timers: Timers = {
      ...EVENT_LOOP,
      soon: (run) => EVENT_LOOP.soon(count(run)),
      later: (run, ms) => EVENT_LOOP.later(count(run), ms),
    };
    const { buffer } = openIn(t, { maxBytes: 2e6 }, { folder, now: Date.now, timers });
    fill(join(folder, "someone-elses"));
    const stored: number[] = [];
    for (let number = 0; number < 300; number++)
      buffer.append(large(number), "T07", NOW, 0, (error) => error == null && stored.push(number));
    for (const { groupKey } of buffer.lease(100_000)) buffer.settle(groupKey, { outcome: "delivered" });
    await until(() => buffer.status().state !== "storing");
    const before = wakeUps;
    for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
    t.ok(wakeUps - before < 20, `${wakeUps - before} wake-ups`);
    unlinkSync(join(folder, "someone-elses"));
    await until(() => {
      drain(buffer);
      return stored.length === 300;
    });
    t.equal(buffer.status().state, "storing");
  },
);

t.test("its files are for owner and group only, whatever the umask", async (t) => {
  const before = process.umask(0);
  try {
    const folder = join(ownFolder(t), "deep");
    const { buffer } = openIn(t, { ballastBytes: 1 }, { folder });
    store(buffer, 0, 10);
    await until(() => readdirSync(folder).length === 5);
    for (const name of readdirSync(folder)) {
      const mode = statSync(join(folder, name)).mode & 0o777;
      t.equal(mode & ~0o640, 0, `${name} ${mode.toString(8)}`);
    }
    t.equal(statSync(folder).mode & 0o777, 0o750);
  } finally {
    process.umask(before);
  }
});
