// Promise 1 when the disk fails: nothing is acknowledged until the file was closed, opened again, checked and moved.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmdirSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import t, { type Test } from "tap";
import { LEAST_BALLAST_BYTES } from "../../agent/buffer/ballast.ts";
import { DurableBuffer } from "../../agent/buffer/buffer.ts";
import { TRIES } from "../../agent/buffer/condition.ts";
import { assertLogged, openWritable } from "../../agent/buffer/connection.ts";
import { OwnerLock } from "../../agent/buffer/lock.ts";
import { FILE_SYNCS } from "../../agent/buffer/log-sync.ts";
import { Opener, type Reopened } from "../../agent/buffer/open-file.ts";
import { type GroupRow, Store } from "../../agent/buffer/store.ts";
import { EVENT_LOOP } from "../../agent/buffer/timers.ts";
import { statsOf } from "../../agent/buffer/tools/inspect.ts";
import type { Accounts, ReadingBuffer } from "../../agent/buffer/types.ts";
import { codeOf } from "../../agent/errors.ts";
import { drain, head, NOW, openIn, ownFolder, settingsIn, store, testLog, until } from "./setup.ts";

/** What the disk does at the next commits: the fsync fails before anything landed, or after it did. */
type Fault = "lost" | "landed" | "reopen refused" | "reopened in vain";

/** A store whose commits fail as `faults` say, and whose reads of the front with the codes in `reads`, one each. */
class FailingStore extends Store {
  readonly faults: Fault[];
  readonly reads: string[];
  constructor(opened: Reopened, maxBytes: number, faults: Fault[], reads: string[]) {
    super(opened.store.db, maxBytes);
    this.faults = faults;
    this.reads = reads;
  }
  override *rows(after: number, before: number, from: "oldest" | "newest"): Generator<GroupRow> {
    const code = this.reads.shift();
    if (code !== undefined) throw new Database.SqliteError("can't read", code);
    yield* super.rows(after, before, from);
  }
  override commit(): void {
    const fault = this.faults.shift();
    if (fault === undefined) {
      super.commit();
      return;
    }
    if (fault === "landed") super.commit();
    throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
  }
}

function openFailing(t: Test, faults: Fault[], reads: string[] = []) {
  const settings = settingsIn(ownFolder(t));
  const captured = testLog();
  const opener = new Opener(settings.path, settings.maxBytes, {
    now: () => NOW,
    random: Math.random,
    freeBytes: () => 1e12,
  });
  const wrap = (opened: Reopened): Reopened => ({
    ...opened,
    store: new FailingStore(opened, settings.maxBytes, faults, reads),
  });
  let openings = 0;
  const buffer = new DurableBuffer({
    settings,
    lock: OwnerLock.take(settings.path),
    opened: wrap(opener.open()),
    opener: {
      open: (known, problem) => {
        openings++;
        if (faults[0] === "reopen refused") {
          faults.shift();
          throw new Database.SqliteError("unable to open database file", "SQLITE_CANTOPEN");
        }
        const reopened = opener.open(known, problem);
        if (faults[0] !== "reopened in vain") return wrap(reopened);
        faults.shift();
        reopened.store.close();
        throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
      },
    },
    log: captured.log,
    timers: EVENT_LOOP,
    now: Date.now,
    freeBytes: () => 1e12,
    syncs: FILE_SYNCS,
  });
  buffer.start();
  t.teardown(() => buffer.close());
  return { ...captured, buffer, settings, openings: () => openings };
}

for (const fault of ["lost", "landed"] as const) {
  t.test(
    `a failed fsync whose transaction ${fault === "lost" ? "was lost" : "landed all the same"}`,
    async (t) => {
      const { buffer, loud, openings } = openFailing(t, [fault]);
      const states: string[] = [];
      buffer.onState((state) => states.push(state));
      const told: number[] = [];
      buffer.append(head("PP_1"), "T07", NOW, 0, () => told.push(openings()));
      buffer.flush();
      t.same(told, [], "nobody is told");
      t.equal(buffer.status().state, "failed");
      await until(() => told.length > 0);
      t.same(told, [1], "told once, after the file was opened again");
      t.same(states, ["failed", "storing"]);
      t.equal(loud().length, 1);
      store(buffer, 2, 1);
      t.same(
        drain(buffer).map(({ seq }) => seq),
        [1, 2],
        "stored once",
      );
      t.same(buffer.accounts(), { received: 2, buffered: 0, shipped: 2, rejected: 0, dropped: 0 });
    },
  );
}

t.test("a disk that goes on failing: readings wait, and all are stored when it recovers", async (t) => {
  const faults: Fault[] = ["lost", "reopen refused", "reopen refused", "landed", "lost"];
  const { buffer, loud } = openFailing(t, faults);
  const told = new Set<string>();
  for (let number = 0; number < 3000; number++) {
    const id = `PP_${number}`;
    buffer.append(head(id), "T07", NOW, 0, (error) => error == null && told.add(id));
  }
  await until(() => told.size === 3000);
  t.equal(faults.length, 0, "all faults were met");
  t.equal(buffer.status().state, "storing");
  t.same(
    drain(buffer).map(({ id, seq }) => `${id} ${seq}`),
    [...told].map((id, index) => `${id} ${index + 1}`),
  );
  t.ok(loud().length <= 5);
});

t.test("settlements survive a failed commit and are counted once", async (t) => {
  const faults: Fault[] = [];
  const { buffer } = openFailing(t, faults);
  store(buffer, 0, 10);
  const [group] = buffer.lease(1e6);
  buffer.settle(group?.groupKey ?? 0, { outcome: "delivered" });
  faults.push("landed");
  buffer.flush();
  await until(() => buffer.status().state === "storing");
  buffer.flush();
  t.same(buffer.accounts(), { received: 10, buffered: 0, shipped: 10, rejected: 0, dropped: 0 });
});

t.test(
  "a lease that could not be read: whoever ships is called when the file can be read again",
  async (t) => {
    const reads: string[] = [];
    const { buffer } = openFailing(t, [], reads);
    store(buffer, 0, 10);
    const arrived: number[] = [];
    buffer.onReady(() => arrived.push(drain(buffer).length));
    reads.push("SQLITE_IOERR_READ");
    t.same(buffer.lease(1e6), []);
    t.equal(buffer.status().state, "failed");
    await until(() => arrived.length > 0);
    t.same(arrived, [10]);
    t.same(buffer.accounts(), { received: 10, buffered: 0, shipped: 10, rejected: 0, dropped: 0 });
  },
);

/** Leases whatever there is, whenever called, until `count` readings have arrived. */
async function arrived(buffer: ReadingBuffer, count: number): Promise<void> {
  const ids = new Set<string>();
  const take = () => {
    for (const { id } of drain(buffer)) ids.add(id);
  };
  buffer.onReady(take);
  take();
  await until(() => ids.size === count);
}

function asideIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /damaged-\w+$/.test(name));
}

t.test("damage that is gone when the file is opened again: nothing is set aside", async (t) => {
  const reads: string[] = [];
  const { buffer, settings } = openFailing(t, [], reads);
  store(buffer, 0, 10);
  reads.push("SQLITE_CORRUPT");
  await arrived(buffer, 10);
  t.equal(buffer.status().state, "storing");
  t.same(asideIn(dirname(settings.path)), []);
});

for (const [code, times] of [
  ["buffer.damaged", TRIES.damaged],
  ["SQLITE_CORRUPT", TRIES.malformed],
  ["SQLITE_IOERR_CORRUPTFS", TRIES.unreadable],
] as const) {
  t.test(`${code} each time the front is read: the file is set aside once, and all is saved`, async (t) => {
    const reads: string[] = [];
    const faults: Fault[] = [];
    const { buffer, settings, loud } = openFailing(t, faults, reads);
    store(buffer, 0, 10);
    reads.push(...Array.from({ length: times }, () => code));
    await arrived(buffer, 10);
    t.equal(asideIn(dirname(settings.path)).length, 1);
    t.equal(loud().filter(({ msg }) => /it is kept as/.test(msg)).length, 1);
    await until(() => buffer.status().aside.length === 1);
    await buffer.close();
  });
}

t.test(
  "a file set aside before its successor could be made is not set aside again, nor is the empty one",
  async (t) => {
    const { path, maxBytes } = settingsIn(ownFolder(t));
    const opener = new Opener(path, maxBytes, {
      now: () => NOW,
      random: Math.random,
      freeBytes: () => 1e12,
    });
    opener.open().store.close();
    const refuses = () => {
      throw new Database.SqliteError("disk I/O error", "SQLITE_IOERR_FSYNC");
    };
    const writing = t.intercept(Store.prototype, "writeState", { value: refuses });
    for (let tries = 3; tries > 0; tries--) {
      t.throws(() => opener.open(undefined, "it looked odd"), { code: "SQLITE_IOERR_FSYNC" });
      t.equal(asideIn(dirname(path)).length, 1);
    }
    writing.restore();
    const opened = opener.open(undefined, "it looked odd");
    t.equal(opened.quarantined?.problem, "it looked odd");
    t.equal(asideIn(dirname(path)).length, 1);
    opened.store.close();
  },
);

t.test(
  "what is wrong is said without what follows from it, which is said once by whoever shows it",
  async (t) => {
    const { buffer, loud } = openFailing(t, ["lost"]);
    buffer.append(head("PP_1"), "T07", NOW, 0, () => {});
    buffer.flush();
    t.equal(buffer.status().problem, "The disk refuses to store or to give readings (disk I/O error).");
    t.match(loud()[0]?.msg, /\. Nothing is acknowledged meanwhile\.$/);
  },
);

for (const fault of ["lost", "landed"] as const) {
  t.test(
    `invariant 1, a commit that ${fault}, and an opening after it in vain: told once it is there`,
    async (t) => {
      const { buffer, settings } = openFailing(t, [fault, "reopened in vain"]);
      const rejection = { reason: "no_id" as const, detail: "no id", topic: "windfarm/T07/x", dup: false };
      let told: Accounts | undefined;
      buffer.reject({ ...rejection, payload: Buffer.from("{}") }, NOW, () => {
        told = statsOf(settings.path).accounts;
      });
      buffer.flush();
      await until(() => told !== undefined);
      t.match(told, { received: 1, rejected: 1 }, "on disk when its sender is told");
      t.match(buffer.accounts(), { received: 1, rejected: 1 });
    },
  );
}

t.test(
  "every connection keeps a log and syncs it in a checkpoint, before and after its first write",
  async (t) => {
    const db = openWritable(join(ownFolder(t), "buffer.db"));
    for (const sql of ["SELECT 1", "CREATE TABLE x (y)"]) {
      db.exec(sql);
      t.equal(db.pragma("synchronous", { simple: true }), 1);
      assertLogged(db);
    }
    db.pragma("synchronous = OFF");
    t.throws(() => assertLogged(db), { code: "buffer.not_durable" }, "positive control");
    db.close();
  },
);

const root = process.getuid?.() === 0;

t.test(
  "a disk filled by someone else: nothing is acknowledged, shipping goes on, and it recovers by itself",
  { skip: root ? false : "mounting a tmpfs needs root" },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "windfarm-"));
    t.teardown(() => rmdirSync(folder));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", folder]);
    t.teardown(() => execFileSync("umount", ["-l", folder]));
    const { buffer, settings, loud } = openIn(t, { ballastBytes: 1 }, { folder, now: Date.now });
    const stored = new Set<string>();
    let sent = 0;
    const send = () => {
      const id = `${sent++}:${randomBytes(3700).toString("base64url")}`;
      buffer.append(head(id), "T07", NOW, 0, (error) => error == null && stored.add(id));
    };
    for (let number = 0; number < 500; number++) send();
    buffer.flush();
    const ballast = `${settings.path}.ballast`;
    await until(() => statSync(ballast, { throwIfNoEntry: false })?.size === LEAST_BALLAST_BYTES);

    fill(join(folder, "someone-elses"));
    while (buffer.status().state === "storing") {
      for (let number = 0; number < 100; number++) send();
      buffer.flush();
    }
    t.equal(buffer.status().state, "disk_full");
    // The log has its full size, so that it may be its move into the file that finds no room, with nobody waiting.
    while (stored.size === sent) {
      for (let number = 0; number < 100; number++) send();
      buffer.flush();
    }
    t.equal(buffer.status().state, "disk_full");
    t.ok(stored.size < sent, `${sent - stored.size} readings wait`);
    t.notOk(statSync(ballast, { throwIfNoEntry: false }), "the ballast is given up");

    const before = stored.size;
    const arrived = drain(buffer);
    t.ok(arrived.length >= 500, "shipping and deleting go on while the disk is full");
    await until(() => stored.size === sent);
    t.ok(stored.size > before, "the room that was freed is used again");

    unlinkSync(join(folder, "someone-elses"));
    await until(() => buffer.status().state === "storing");
    await until(() => statSync(ballast, { throwIfNoEntry: false })?.size === LEAST_BALLAST_BYTES);
    arrived.push(...drain(buffer), ...drain(buffer));
    t.same(new Set(arrived.map(({ id }) => id)), stored, "everything acknowledged arrived");
    t.equal(loud().filter(({ level }) => level >= 50).length, 1, "said once");
  },
);

/** Writes to `path` until the disk has no room. */
function fill(path: string): void {
  const chunk = Buffer.alloc(256 * 1024, "x");
  try {
    for (;;) writeFileSync(path, chunk, { flag: "a" });
  } catch (error) {
    if (codeOf(error) !== "ENOSPC") throw error;
  }
}
