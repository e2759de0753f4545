// Parts of the buffer by themselves: what waits is counted whole, and what quarantined files take of the quota comes back.
import { mkdirSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import t, { type Test } from "tap";
import { Opener } from "../../agent/buffer/open-file.ts";
import { PendingQueue } from "../../agent/buffer/pending.ts";
import { writeReport } from "../../agent/buffer/salvage/quarantine.ts";
import { Salvager } from "../../agent/buffer/salvage/salvager.ts";
import type { State } from "../../agent/buffer/state.ts";
import type { Store } from "../../agent/buffer/store.ts";
import { head, NOW, openIn, ownFolder, settingsIn, store, testLog } from "./setup.ts";

const MIB = 1024 * 1024;

function opened(t: Test, maxBytes: number) {
  const settings = settingsIn(ownFolder(t));
  const { path } = settings;
  const means = { now: () => NOW, random: Math.random, freeBytes: () => 1e12 };
  const result = new Opener(path, maxBytes, means).open();
  t.teardown(() => result.store.close());
  return { ...result, path, settings };
}

/** A queue whose disk takes everything, and whose sensors wait for room. */
function targetOf(t: Test, store: Store, state: State) {
  return {
    store,
    isBlocked: true,
    change: (work: (file: Store, now: State) => void) => {
      work(store, state);
      return true;
    },
    failed: (error: unknown) => t.fail(String(error)),
    synced: state,
  };
}

t.test("rejects that are not synced yet are counted among the bytes that wait", async (t) => {
  const { state, settings } = opened(t, MIB);
  const pending = new PendingQueue(settings, state);
  const rejection = {
    reason: "no_id" as const,
    detail: "",
    topic: "",
    payload: Buffer.alloc(400),
    dup: false,
  };
  pending.append(head("PP_1"), "T07", NOW, 0, () => {});
  const readingBytes = pending.bytes;
  pending.reject(rejection, NOW, () => {});
  const { bytes } = pending;
  t.ok(bytes >= readingBytes + 400);
  const batch = pending.first();
  pending.shift();
  t.ok(pending.isEmpty);
  t.equal(pending.bytes, bytes, "also once they are committed");
  if (batch !== undefined) pending.told(batch);
  t.equal(pending.bytes, 0);
});

t.test("quarantined files that are moved away give the quota back without a restart", async (t) => {
  const maxBytes = 2 * MIB;
  const { store: own, state, path } = opened(t, maxBytes);
  const file = `${path}.damaged-20261101T000000Z`;
  writeFileSync(file, Buffer.alloc(3 * MIB));
  const none = { readings: 0, rejects: 0, lost: 1, missing: 0, unreadable: 0, complete: false };
  writeReport(path, { file: basename(file), problem: "", at: "", result: "", ...none });
  let nowMs = 0;
  const clock = { now: () => NOW, monotonic: () => nowMs };
  const salvager = new Salvager({ path, maxBytes, rejectsMaxBytes: MIB, log: testLog().log, ...clock });
  const target = targetOf(t, own, state);
  salvager.start();
  salvager.run(target);
  t.ok(own.maxPages * 1024 < maxBytes);
  t.equal(salvager.dueMs, 60_000, "looked at again later");
  for (const part of ["", ".json"]) unlinkSync(`${file}${part}`);
  nowMs = 60_000;
  salvager.run(target);
  t.equal(own.maxPages * 1024, maxBytes);
  t.equal(salvager.dueMs, Number.POSITIVE_INFINITY, "and then no more");
});

t.test("while readings wait for room nothing is brought back into it", async (t) => {
  const { store: file, state, path } = opened(t, 64 * MIB);
  const folder = join(dirname(path), "lost");
  mkdirSync(folder);
  const { buffer, settings: lost } = openIn(t, {}, { folder });
  store(buffer, 1, 3);
  await buffer.close();
  renameSync(lost.path, `${path}.damaged-20261101T000000Z`);
  const clock = { now: () => NOW, monotonic: () => 0 };
  const log = testLog();
  const parts = { path, maxBytes: 64 * MIB, rejectsMaxBytes: MIB, log: log.log, ...clock };
  const salvager = new Salvager(parts);
  const target = targetOf(t, file, state);
  salvager.start();
  for (let step = 0; step < 10; step++) salvager.run(target);
  t.equal(salvager.savedReadings, 0);
  target.isBlocked = false;
  for (let step = 0; step < 100 && log.lines.length === 0; step++) salvager.run(target);
  t.equal(salvager.savedReadings, 3, JSON.stringify(log.lines.map(({ msg }) => msg)));
  salvager.stop();
});
