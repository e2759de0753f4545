// Quarantined files: each is read to the end or put off, none is deleted from which something may be missing.
import { mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import Database from "better-sqlite3";
import t, { type Test } from "tap";
import { PAGE_BYTES } from "../../agent/buffer/connection.ts";
import type { Report } from "../../agent/buffer/salvage/progress.ts";
import {
  bytesOf,
  listQuarantined,
  prune,
  quotaBeside,
  writeReport,
} from "../../agent/buffer/salvage/quarantine.ts";
import { MAX_TRIES } from "../../agent/buffer/salvage/salvager.ts";
import { drain, openIn, ownFolder, settingsIn, store, until } from "./setup.ts";

/** A buffer file of `count` readings quarantined under a name of `day`; its path. */
async function quarantined(t: Test, folder: string, day: number, first: number, count: number) {
  const source = join(folder, `source-${day}`);
  const { buffer, settings } = openIn(t, {}, { folder: source });
  for (let number = first; number < first + count; number += 50) store(buffer, number, 50);
  await buffer.close();
  const file = join(folder, `buffer.db.damaged-2026110${day}T000000Z`);
  renameSync(settings.path, file);
  return file;
}

function reportBeside(file: string): Report {
  return JSON.parse(readFileSync(`${file}.json`, "utf8"));
}

t.test(
  "invariant 6: a file that can't be read is put off after a few tries, and the next one is read",
  async (t) => {
    const folder = ownFolder(t);
    const bad = join(folder, "buffer.db.damaged-20261101T000000Z");
    mkdirSync(bad);
    await quarantined(t, folder, 2, 100, 50);
    const { buffer, loud } = openIn(t, {}, { folder });
    await until(() => buffer.status().aside.length === 2);
    t.equal(drain(buffer).length, 50, "the other one's readings are back");
    t.match(buffer.status().aside, [{ state: "unread" }, { state: "complete" }]);
    t.match(
      buffer.status().recovered.join(" "),
      /damaged-20261101T000000Z can't be read .+ the next start tries again/,
    );
    t.equal(
      loud().filter(({ msg }) => /20261101.+can't be read/.test(msg)).length,
      2,
      "at first and at last",
    );
    t.ok(MAX_TRIES > 1);

    await buffer.close();
    rmdirSync(bad);
    await quarantined(t, folder, 1, 200, 50);
    const again = openIn(t, {}, { folder });
    await until(() => again.buffer.status().aside.length === 2);
    t.match(
      again.buffer.status().aside,
      [{ state: "complete" }, { state: "complete" }],
      "a later start reads it",
    );
  },
);

t.test("a file with a hole between its first seq and its last is never called complete", async (t) => {
  const folder = ownFolder(t);
  const file = await quarantined(t, folder, 1, 0, 500);
  const db = new Database(file);
  db.exec("DELETE FROM groups WHERE key = 101; UPDATE state SET buffered = 450, shipped = 50");
  db.close();
  const { buffer } = openIn(t, {}, { folder });
  await until(() => buffer.status().aside.length === 1);
  t.match(buffer.status().aside, [{ state: "incomplete" }]);
  t.match(reportBeside(file), { readings: 450, lost: 0, missing: 50, complete: false });
});

t.test("readings that are in a file twice don't make up for others that are not in it", async (t) => {
  const folder = ownFolder(t);
  const file = await quarantined(t, folder, 1, 0, 500);
  const db = new Database(file);
  db.exec(`INSERT INTO groups SELECT -5, count, received, body FROM groups WHERE key = 51;
    DELETE FROM groups WHERE key = 101`);
  db.close();
  const { buffer } = openIn(t, {}, { folder });
  await until(() => buffer.status().aside.length === 1);
  t.match(reportBeside(file), { readings: 500, lost: 0, complete: false });
});

t.test("a file that was not closed in order is never called complete", async (t) => {
  const folder = ownFolder(t);
  const file = await quarantined(t, folder, 1, 0, 500);
  const db = new Database(file);
  db.exec("UPDATE state SET closed = 0");
  db.close();
  const { buffer } = openIn(t, {}, { folder });
  await until(() => buffer.status().aside.length === 1);
  const report = reportBeside(file);
  t.match(report, { readings: 500, lost: 0, missing: 0, complete: false });
  t.match(report.result, /whether its log held more can't be told/);
});

t.test("a body whose bytes were changed does not come back, nor as another value", async (t) => {
  const folder = ownFolder(t);
  const file = await quarantined(t, folder, 1, 0, 500);
  const db = new Database(file);
  const body =
    db.prepare<[], Buffer>("SELECT body FROM groups WHERE key = 101").pluck().get() ?? Buffer.alloc(0);
  for (let place = 12; place < body.length; place += 37) {
    const changed = Buffer.from(body);
    changed.writeUInt8(changed.readUInt8(place) ^ 1, place);
    db.prepare("UPDATE groups SET body = ? WHERE key = ?").run(changed, 101);
  }
  db.close();
  const { buffer } = openIn(t, {}, { folder });
  await until(() => buffer.status().aside.length === 1);
  t.match(reportBeside(file), { readings: 450, lost: 50, complete: false });
  const lines = drain(buffer);
  t.equal(lines.length, 450);
  t.ok(lines.every(({ id, seq }) => id === `PP_${seq - 1}`));
});

function reportOf(path: string, day: number, more: Partial<Report>): void {
  const file = `buffer.db.damaged-2026110${day}T000000Z`;
  writeFileSync(join(dirname(path), file), Buffer.alloc(PAGE_BYTES));
  const none = { readings: 1, rejects: 0, lost: 0, missing: 0, unreadable: 0, complete: true };
  writeReport(path, { file, problem: "", at: "", result: "", ...none, ...more });
}

t.test(
  "only files from which all was saved are deleted: the oldest, as far as there is no room for all",
  async (t) => {
    const { path } = settingsIn(ownFolder(t));
    reportOf(path, 1, { complete: false, lost: 3 });
    for (const day of [2, 3, 4]) reportOf(path, day, {});
    writeFileSync(join(dirname(path), "buffer.db.damaged-20261107T000000Z"), "");
    const days = () => listQuarantined(path).map(({ file }) => Number(file.slice(-10, -8)));
    const bytes = bytesOf(listQuarantined(path));
    prune(path, bytes);
    t.same(days(), [1, 2, 3, 4, 7]);
    prune(path, bytes - 1);
    t.same(days(), [1, 3, 4, 7]);
    prune(path, 0);
    t.same(days(), [1, 7], "never one that lost readings or is still to be read");
  },
);

t.test("invariant 8: what must be kept beyond the buffer's size is taken from its quota", async (t) => {
  const folder = ownFolder(t);
  const { path } = settingsIn(folder);
  const maxBytes = 2 * 1024 * 1024;
  writeFileSync(join(folder, "buffer.db.damaged-20261101T000000Z"), Buffer.alloc(3 * 1024 * 1024));
  t.equal(quotaBeside(path, maxBytes), 1024 * 1024);
  const { buffer, loud } = openIn(t, { maxBytes }, { folder });
  t.equal(buffer.status().maxBytes, 1024 * 1024);
  await until(() => buffer.status().aside.length === 1);
  t.match(loud().at(-1)?.msg, /is limited to \d+ bytes until they are moved away/);
});
