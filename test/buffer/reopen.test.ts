// A file that is opened again while the agent runs: no false alarm, nothing believed too soon, no key given twice, no spinning.
import { copyFileSync, fdatasyncSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import t, { type Test } from "tap";
import { Ballast } from "../../agent/buffer/ballast.ts";
import { Condition } from "../../agent/buffer/condition.ts";
import { FILE_SYNCS } from "../../agent/buffer/log-sync.ts";
import { Store } from "../../agent/buffer/store.ts";
import { EVENT_LOOP } from "../../agent/buffer/timers.ts";
import { drain, head, linesOf, NOW, openIn, ownFolder, store, until } from "./setup.ts";

/** A buffer whose next sync fails once `fail` was called. */
function openWithSyncs(t: Test, folder = ownFolder(t)) {
  let fails = false;
  const syncs = {
    ...FILE_SYNCS,
    now: (descriptor: number) => {
      if (!fails) return fdatasyncSync(descriptor);
      fails = false;
      throw Object.assign(new Error("i/o error"), { code: "EIO" });
    },
  };
  const fail = () => {
    fails = true;
  };
  return { ...openIn(t, {}, { folder, syncs }), fail };
}

t.test("a sync that fails after commits without accounts is no loss: same epoch, stored once", async (t) => {
  const { buffer, fail, loud } = openWithSyncs(t);
  for (let number = 1; number <= 3; number++) t.equal(store(buffer, number, 1).length, 1);
  const { epoch } = buffer;
  fail();
  const told = store(buffer, 4, 1);
  await until(() => told.length > 0);
  t.equal(buffer.epoch, epoch);
  t.equal(buffer.status().lastSeq, 4);
  t.equal(loud().length, 1, "the failed sync is said, and no loss");
  t.same(buffer.status().recovered, []);
  t.same(
    drain(buffer).map(({ id, seq }) => `${id} ${seq}`),
    ["PP_1 1", "PP_2 2", "PP_3 3", "PP_4 4"],
  );
});

t.test("an older file in the place of ours: no key of a group that is out is given again", async (t) => {
  const folder = ownFolder(t);
  const first = openIn(t, {}, { folder });
  for (let number = 1; number <= 2; number++) store(first.buffer, number, 1);
  await first.buffer.close();
  const path = first.settings.path;
  copyFileSync(path, join(folder, "backup"));
  const { buffer } = openIn(t, {}, { folder });
  for (let number = 3; number <= 5; number++) store(buffer, number, 1);
  const out = buffer.lease(1e6).map(({ groupKey }) => groupKey);
  t.same(out, [1, 2, 3, 4, 5]);
  renameSync(join(folder, "backup"), path);
  const told = store(buffer, 6, 1);
  await until(() => told.length > 0);
  const group = buffer.lease(1e6).find(({ body }) => linesOf(body)[0]?.id === "PP_6");
  t.ok(group !== undefined && group.groupKey > 5, `key ${group?.groupKey}`);
  t.equal(linesOf(group?.body ?? Buffer.alloc(0))[0]?.seq, 1, "in an epoch of its own");
});

t.test("a failure of the upkeep that is over does not keep the processor busy", async (t) => {
  const { keep } = Ballast.prototype;
  let failures = 0;
  let successes = 0;
  t.intercept(Ballast.prototype, "keep", {
    value(this: Ballast, log: Logger) {
      if (failures++ === 0) throw Object.assign(new Error("disk I/O error"), { code: "SQLITE_IOERR_READ" });
      successes++;
      return keep.call(this, log);
    },
  });
  const succeeded = t.capture(Condition.prototype, "succeeded", Condition.prototype.succeeded);
  let wakeUps = 0;
  const timers = {
    ...EVENT_LOOP,
    soon: (run: () => void) => {
      wakeUps++;
      return EVENT_LOOP.soon(run);
    },
  };
  const { buffer } = openIn(t, {}, { timers });
  store(buffer, 1, 1);
  await until(() => failures > 0 && buffer.status().state === "storing");
  const before = wakeUps;
  for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
  t.ok(wakeUps - before < 20, `${wakeUps - before} wake-ups at once`);
  await until(() => successes > 0);
  t.ok(
    succeeded().some(({ args }) => args[0] === "upkeep"),
    "and it is forgotten when the upkeep succeeds",
  );
});

t.test("a log that another program keeps from being moved is not believed after a failed sync", async (t) => {
  const { buffer, fail } = openWithSyncs(t);
  store(buffer, 1, 1);
  // What SQLite answers while another connection has the lock for moving the log.
  let asked = 0;
  const moving = t.intercept(Store.prototype, "checkpoint", {
    value: () => {
      asked++;
      return { busy: true, logPages: -1, movedPages: -1 };
    },
  });
  fail();
  const told = store(buffer, 2, 1);
  await until(() => asked > 1);
  t.same(told, [], "nobody is told meanwhile");
  t.equal(buffer.status().state, "failed");
  moving.restore();
  await until(() => told.length > 0);
  t.equal(buffer.status().lastSeq, 2);
});

t.test("what is put back after a failure is tried again by itself", async (t) => {
  const { buffer, fail } = openWithSyncs(t);
  store(buffer, 1, 1);
  fail();
  const told: string[] = [];
  buffer.append(head("PP_2"), "T07", NOW, 0, (error) => void (error == null && told.push("PP_2")));
  buffer.flush();
  await until(() => told.length > 0);
  t.same(told, ["PP_2"]);
});

t.test("an error while a commit is looked at is dealt with, and thrown at nobody", async (t) => {
  const { buffer, loud } = openIn(t);
  store(buffer, 1, 1);
  const committed = Condition.prototype.committed;
  let throws = true;
  t.intercept(Condition.prototype, "committed", {
    value(this: Condition, ...args: Parameters<Condition["committed"]>) {
      if (throws) {
        throws = false;
        throw Object.assign(new Error("i/o error"), { code: "EIO" });
      }
      return committed.apply(this, args);
    },
  });
  const told: string[] = [];
  buffer.append(head("PP_2"), "T07", NOW, 0, () => void told.push("PP_2"));
  t.doesNotThrow(() => buffer.flush());
  await until(() => told.length > 0);
  t.equal(loud().length, 1);
  t.equal(buffer.status().lastSeq, 2);
});

t.test("a disk that does not give the ballast up either: said, and thrown at nobody", async (t) => {
  t.intercept(Ballast.prototype, "release", {
    value: () => {
      throw Object.assign(new Error("i/o error"), { code: "EIO" });
    },
  });
  const { buffer } = openIn(t);
  store(buffer, 1, 1);
  const commit = t.intercept(Store.prototype, "commit", {
    value: () => {
      throw Object.assign(new Error("disk is full"), { code: "SQLITE_FULL" });
    },
  });
  t.doesNotThrow(() => store(buffer, 2, 1));
  t.equal(buffer.status().state, "disk_full");
  commit.restore();
  await until(() => buffer.status().lastSeq === 2);
});

t.test("damage inside the log of a file that was closed before: a new epoch", async (t) => {
  const folder = ownFolder(t);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 1, 2);
  await first.buffer.close();
  const running = openIn(t, {}, { folder });
  store(running.buffer, 3, 3);
  const copy = join(folder, "copy");
  const { settings, buffer } = openIn(t, {}, { folder: copy });
  await buffer.close();
  for (const part of ["", "-wal"]) copyFileSync(`${running.settings.path}${part}`, `${settings.path}${part}`);
  // Its header's salt: SQLite then takes nothing of the log, in which stands that the file is in use.
  const log = readFileSync(`${settings.path}-wal`);
  log.writeUInt8(log.readUInt8(18) ^ 255, 18);
  writeFileSync(`${settings.path}-wal`, log);
  const damaged = openIn(t, {}, { folder: copy });
  t.not(damaged.buffer.epoch, running.buffer.epoch, "the seqs of the lost readings are not given again");
  t.match(damaged.loud()[0]?.msg, /ends in writes that can't be read/);
  t.equal(readdirSync(copy).filter((name) => /damaged/.test(name)).length, 0);
});

t.test("a stop whose sync fails tells those who wait for it", async (t) => {
  const { buffer, fail } = openWithSyncs(t);
  const told: (Error | null | undefined)[] = [];
  buffer.append(head("PP_1"), "T07", NOW, 0, (error) => told.push(error));
  fail();
  await buffer.close();
  t.equal(told.length, 1);
  t.match(told, [{ code: "buffer.closed" }]);
});

t.test("a damaged file is quarantined once, also if the new one can't be taken at once", async (t) => {
  const folder = ownFolder(t);
  const { buffer, loud } = openIn(t, {}, { folder });
  t.equal(store(buffer, 1, 1).length, 1);
  const insert = Store.prototype.insertGroup;
  let isDamaged = true;
  t.intercept(Store.prototype, "insertGroup", {
    value(this: Store, row: Parameters<typeof insert>[0]) {
      if (isDamaged) throw Object.assign(new Error("malformed"), { code: "SQLITE_CORRUPT" });
      insert.call(this, row);
    },
  });
  const checkpoint = Store.prototype.checkpoint;
  let refusals = 0;
  t.intercept(Store.prototype, "checkpoint", {
    value(this: Store, mode: Parameters<typeof checkpoint>[0]) {
      const isNew = readdirSync(folder).some((name) => name.includes("damaged-"));
      if (isNew) isDamaged = false;
      if (isNew && refusals++ < 3) return { busy: true, logPages: -1, movedPages: -1 };
      return checkpoint.call(this, mode);
    },
  });
  const told = store(buffer, 2, 1);
  await until(() => told.length > 0);
  t.ok(refusals > 3);
  const files = readdirSync(folder).filter((name) => /damaged-\w+(-\d+)?$/.test(name));
  t.equal(files.length, 1, files.join(", "));
  t.ok(
    loud().some((line) => JSON.stringify(line).includes("could not be used")),
    "and told",
  );
});
