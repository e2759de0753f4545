import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { judgeRoom, probeFolder, probeRoom } from "../../agent/cli/room-probe.ts";

const MIB = 1024 ** 2;

t.test("A folder is tried by writing to it, and nothing of that stays", async (t) => {
  const folder = t.testdir({ file: "x" });
  t.match(probeFolder({ path: join(folder, "buffer.db") }), { ok: true, message: folder });
  t.match(probeFolder({ path: join(folder, "to", "be", "made", "buffer.db") }), { ok: true });
  t.strictSame(readdirSync(folder), ["file"]);
  // /proc takes no folder from anybody, root included.
  for (const path of [join(folder, "file", "buffer.db"), "/proc/buffer.db"]) {
    t.match(probeFolder({ path }), { ok: false, message: /can't be written to/, hint: /own/ });
  }
});

t.test("What the buffer occupies already is room it has", async (t) => {
  const buffer = { maxBytes: 100 * MIB, ballastBytes: 8 * MIB };
  t.match(judgeRoom({ folder: "/x", freeBytes: 200 * MIB, ownBytes: 0 }, buffer), {
    ok: true,
    message: "There is 200 MiB free for the buffer in /x",
  });
  t.match(judgeRoom({ folder: "/x", freeBytes: 10 * MIB, ownBytes: 98 * MIB }, buffer), {
    ok: true,
    message: "There is 10.0 MiB free for the buffer in /x besides the 98.0 MiB it occupies",
  });
  t.match(judgeRoom({ folder: "/x", freeBytes: 10 * MIB, ownBytes: 97 * MIB }, buffer), {
    ok: false,
    message: /together are 108 MiB$/,
    hint: /max_size/,
  });
});

t.test("The files of the buffer are found on the real disk", async (t) => {
  const folder = t.testdir();
  for (const ending of ["", "-wal", ".ballast"]) {
    writeFileSync(join(folder, `buffer.db${ending}`), Buffer.alloc(MIB));
  }
  const { message } = probeRoom({ path: join(folder, "buffer.db"), maxBytes: MIB, ballastBytes: MIB });
  t.match(message, /besides the 3\.0 MiB it occupies/);
});
