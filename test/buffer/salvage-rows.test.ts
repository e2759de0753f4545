// Rows of a quarantined file that are not what their columns say: passed over and counted, never a reason to give up the new file.
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import t, { type Test } from "tap";
import { newProgress } from "../../agent/buffer/salvage/progress.ts";
import { readPiece } from "../../agent/buffer/salvage/reader.ts";
import { drain, NOW, openIn, ownFolder, store, until } from "./setup.ts";

/** A quarantined file of three groups and three rejects; its path. */
async function quarantined(t: Test, folder: string): Promise<string> {
  const { buffer, settings } = openIn(t, {}, { folder: join(folder, "source") });
  for (let number = 1; number <= 3; number++) store(buffer, number, 1);
  for (let number = 1; number <= 3; number++) {
    const rejection = { reason: "no_id" as const, detail: "no id", topic: "windfarm/T07/x", dup: false };
    buffer.reject({ ...rejection, payload: Buffer.from(`{${number}}`) }, NOW, () => undefined);
    buffer.flush();
  }
  await buffer.close();
  const file = join(folder, "buffer.db.damaged-20261101T000000Z");
  renameSync(settings.path, file);
  return file;
}

/** Writes what the table's declaration forbids, as damage to a page would: SQLite checks types when it writes, not when it reads. */
function force(file: string, table: string, sql: string): void {
  const rewrite = (from: string, to: string): void => {
    const db = new Database(file);
    db.unsafeMode(true);
    db.pragma("writable_schema = ON");
    db.prepare("UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE name = ?").run(from, to, table);
    db.close();
  };
  rewrite(" NOT NULL", "");
  rewrite("STRICT", "");
  const db = new Database(file);
  const declared = db.prepare<[string], string>("SELECT sql FROM sqlite_master WHERE name = ?").pluck();
  const bare = declared.get(table) ?? "";
  db.exec(sql);
  db.close();
  // Its declaration as it was; the text lacks nothing but the two.
  const after = bare.replace(/ (INTEGER|TEXT|BLOB)(?! PRIMARY)/g, " $1 NOT NULL").concat(" STRICT");
  rewrite(bare, after);
}

for (const [table, sql, readings, rejects] of [
  ["groups", "UPDATE groups SET body = NULL WHERE key = 2", 2, 3],
  ["groups", "UPDATE groups SET received = 'soon' WHERE key = 2", 2, 3],
  ["groups", "UPDATE groups SET body = 'text' WHERE key = 2", 2, 3],
  ["rejects", "UPDATE rejects SET reason = NULL WHERE number = 2", 3, 2],
  ["rejects", "UPDATE rejects SET payload = NULL WHERE number = 2", 3, 2],
  ["rejects", "UPDATE rejects SET bytes = -1, count = 0.5 WHERE number = 2", 3, 2],
] as const) {
  t.test(`a row that is not one: ${sql}`, async (t) => {
    const folder = ownFolder(t);
    const file = await quarantined(t, folder);
    force(file, table, sql);
    const { buffer } = openIn(t, {}, { folder });
    const { epoch } = buffer;
    await until(() => readdirSync(folder).some((name) => name.endsWith(".json")), 8000);
    await until(() => buffer.status().aside.length > 0);
    const aside = readdirSync(folder).filter((name) => /damaged-\w+$/.test(name));
    t.equal(aside.length, 1, "the new file is not given up");
    t.equal(buffer.epoch, epoch);
    t.match(JSON.parse(readFileSync(`${file}.json`, "utf8")), { readings, rejects, complete: false });
    t.equal(drain(buffer).length, readings, "the others are back");
  });
}

t.test("a file in whose log something stands is never taken for one that was closed in order", async (t) => {
  const file = await quarantined(t, ownFolder(t));
  const told = () => {
    const db = new Database(file, { readonly: true });
    const { next } = readPiece(db, newProgress("x", ""));
    db.close();
    return next.told?.closed;
  };
  t.equal(told(), true);
  // Of which SQLite takes nothing, for its header is none.
  writeFileSync(`${file}-wal`, Buffer.alloc(5000, "x"));
  t.equal(told(), false);
});
