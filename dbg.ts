import { readFileSync, writeFileSync, mkdtempSync, truncateSync, statSync } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import { openBuffer } from "./agent/buffer/open.ts";
import { settingsIn, store } from "./test/buffer/setup.ts";
import { openDamaged } from "./agent/buffer/salvage/open-damaged.ts";
import { SalvageReader } from "./agent/buffer/salvage/reader.ts";
import { newProgress } from "./agent/buffer/salvage/progress.ts";
const folder = mkdtempSync("/tmp/wfdbg-");
const settings = settingsIn(folder);
const b = openBuffer(settings, { now: Date.now, log: pino({ level: "silent" }) });
for (let g = 0; g < 150; g++) store(b, g * 40, 40);
await b.close();
const orig = readFileSync(settings.path);
console.log("pages", orig.length / 1024);
for (const [name, f] of Object.entries({
  half: (p: string) => truncateSync(p, (statSync(p).size >>> 1)),
  cut: (p: string) => truncateSync(p, statSync(p).size - 1000),
  stretch: (p: string) => { const x = readFileSync(p); x.fill(0, 6144, 9216); writeFileSync(p, x); },
})) {
  const p = join(folder, name); writeFileSync(p, orig); f(p);
  try {
    const db = openDamaged(p);
    for (const pg of db.prepare("SELECT name, rootpage FROM sqlite_master").all()) console.log(JSON.stringify(pg));
    for (const k of [-1, 0, 1, 41, 400, 1000, 3000, 5000, 5999, 7000]) {
      try { console.log(k, (db.prepare("SELECT key,count FROM groups WHERE key > ? ORDER BY key LIMIT 1").get(k) as any)?.key); } catch (e) { console.log(k, String(e)); }
    }
    const r = new SalvageReader(db);
    let at = newProgress(name, "");
    for (let n = 0; at.stage !== "done" && n < 1000; n++) at = r.read(at).next;
    console.log(name, JSON.stringify(at));
  } catch (e) { console.log(name, e); }
}
