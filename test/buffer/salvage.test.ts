// Files set aside: each is read to the end or put off, none is deleted from which something could not be saved.
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import {
  KEPT_ASIDE,
  lookAside,
  prune,
  quotaBeside,
  type Report,
  writeReport,
} from "../../agent/buffer/aside.ts";
import { PAGE_BYTES } from "../../agent/buffer/connection.ts";
import { MAX_TRIES } from "../../agent/buffer/salvager.ts";
import { badSectors, drain, openIn, ownFolder, settingsIn, store, until } from "./setup.ts";

/** A buffer file of `count` readings set aside under a name of `day`; its path. */
async function ruin(t: Test, folder: string, day: number, first: number, count: number): Promise<string> {
  const source = join(folder, `source-${day}`);
  const { buffer, settings } = openIn(t, {}, { folder: source });
  store(buffer, first, count);
  await buffer.close();
  const file = join(folder, `buffer.db.damaged-2026110${day}T000000Z`);
  renameSync(settings.path, file);
  return file;
}

t.test(
  "invariant 6: a file the disk does not give is put off after a few tries, and the next one is read",
  async (t) => {
    const folder = ownFolder(t);
    const bad = await ruin(t, folder, 1, 0, 50);
    await ruin(t, folder, 2, 100, 50);
    // SQLite must not be able to read it either.
    writeFileSync(bad, Buffer.alloc(statSync(bad).size));
    const readSectors = badSectors({ file: bad, from: 0, to: statSync(bad).size });
    const { buffer, loud } = openIn(t, {}, { folder, readSectors });
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
      "said at first and at last",
    );
    t.ok(MAX_TRIES > 1);

    await buffer.close();
    const again = openIn(t, {}, { folder });
    await until(() => again.buffer.status().aside.length === 2);
    t.match(
      again.buffer.status().aside,
      [{ state: "incomplete" }, { state: "complete" }],
      "a later start reads it",
    );
  },
);

t.test("what the disk does not give is counted, and the file is then not taken for saved", async (t) => {
  const folder = ownFolder(t);
  const file = await ruin(t, folder, 1, 0, 5000);
  // Beyond what SQLite is asked for: its log says that there is something to be looked for page by page.
  writeFileSync(`${file}-wal`, Buffer.alloc(100_000));
  const readSectors = badSectors({ file: `${file}-wal`, from: 49_400, to: 49_500 });
  const { buffer } = openIn(t, {}, { folder, readSectors });
  await until(() => buffer.status().aside.length === 1);
  t.match(buffer.status().aside, [{ state: "incomplete" }]);
  const report: Report = JSON.parse(readFileSync(`${file}.json`, "utf8"));
  t.match(report, { readings: 5000, lost: 0, unreadable: 1, complete: false });
});

function reportOf(path: string, day: number, more: Partial<Report>): void {
  const file = `buffer.db.damaged-2026110${day}T000000Z`;
  writeFileSync(join(dirname(path), file), Buffer.alloc(PAGE_BYTES));
  const none = { readings: 1, rejects: 0, lost: 0, unreadable: 0, complete: true };
  writeReport(path, { file, problem: "", at: "", result: "", ...none, ...more });
}

t.test(
  "only files from which all was saved are deleted: old ones, empty ones, and those there is no room for",
  async (t) => {
    const { path } = settingsIn(ownFolder(t));
    reportOf(path, 1, { complete: false, lost: 3 });
    for (const day of [2, 3, 4, 6]) reportOf(path, day, {});
    reportOf(path, 5, { readings: 0 });
    writeFileSync(join(dirname(path), "buffer.db.damaged-20261107T000000Z"), "");
    const days = () => lookAside(path).map(({ file }) => Number(file.slice(-10, -8)));
    prune(path, 1e9);
    t.same(days(), [1, 4, 6, 7]);
    t.equal(KEPT_ASIDE, 2);
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
  t.match(loud().at(-1)?.msg, /makes do with \d+ bytes until they are moved away/);
});
