// When groups are committed, with the event loop and the disk played by hand.
import t, { type Test } from "tap";
import { FULL_WINDOW, PAGE_WORTH_BYTES, QUICK_MS } from "../../agent/buffer/commit-rule.ts";
import { FILE_SYNCS, type Syncs } from "../../agent/buffer/log-sync.ts";
import type { Stored } from "../../agent/buffer/types.ts";
import { head, NOW, openIn } from "./setup.ts";

/** An event loop that stands still: `tick` runs what is due. */
class PlayedLoop {
  ms = 1000;
  #due: { atMs: number; run: () => void }[] = [];

  nowMs(): number {
    return this.ms;
  }

  soon(run: () => void): () => void {
    return this.later(run, 0);
  }

  later(run: () => void, ms: number): () => void {
    const entry = { atMs: this.ms + ms, run };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((each) => each !== entry);
    };
  }

  tick(ms: number): void {
    for (const end = this.ms + ms; ; ) {
      const next = this.#due.reduce((first, { atMs }) => Math.min(first, atMs), Number.POSITIVE_INFINITY);
      if (next > end) {
        this.ms = end;
        return;
      }
      this.ms = Math.max(this.ms, next);
      const due = this.#due.filter(({ atMs }) => atMs <= this.ms);
      this.#due = this.#due.filter(({ atMs }) => atMs > this.ms);
      for (const { run } of due) run();
    }
  }
}

/** A disk that syncs when `finish` is called. */
class PlayedDisk implements Syncs {
  #done: ((error: Error | null) => void)[] = [];

  beside(_descriptor: number, done: (error: Error | null) => void): void {
    this.#done.push(done);
  }

  now(descriptor: number): void {
    FILE_SYNCS.now(descriptor);
  }

  get isSyncing(): boolean {
    return this.#done.length > 0;
  }

  finish(error: Error | null = null): void {
    for (const done of this.#done.splice(0)) done(error);
  }
}

function play(t: Test, lingerMs = 500) {
  const loop = new PlayedLoop();
  const disk = new PlayedDisk();
  const { buffer, loud } = openIn(t, { lingerMs }, { timers: loop, now: () => NOW, syncs: disk });
  const told: string[] = [];
  /** A connection: one `stored` for all its messages. */
  const connection = (name: string) => {
    const stored: Stored = () => void told.push(name);
    return (id = name) => buffer.append(head(id), "T07", NOW, 0, stored);
  };
  return { loop, disk, told, buffer, connection, loud };
}

t.test(
  "a reading waits for company as long as the linger, from the first that waits, and no longer",
  async (t) => {
    const { loop, disk, told, buffer, connection } = play(t);
    const [one, two] = [connection("one"), connection("two")];
    for (let round = 0; round < 3; round++) {
      one();
      loop.tick(300);
      two();
      loop.tick(199);
      t.notOk(disk.isSyncing);
      loop.tick(1);
      t.ok(disk.isSyncing, "at every rate, not only after an idle while");
      disk.finish();
      t.equal(told.length, 2 * (round + 1));
      loop.tick(600);
    }
    t.equal(buffer.status().commits, 3);
  },
);

t.test("invariant 1: committed, leased and counted only once the sync has succeeded", async (t) => {
  const { loop, disk, told, buffer, connection } = play(t, 0);
  const send = connection("one");
  send();
  loop.tick(0);
  t.ok(disk.isSyncing);
  t.same(told, []);
  t.match(buffer.accounts(), { received: 0, buffered: 0 });
  t.same(buffer.lease(1e6), []);
  t.same(buffer.lease(1e6, "newest"), []);
  t.equal(buffer.status().lastSeq, 0);
  send("later");
  loop.tick(50);
  disk.finish();
  t.same(told, ["one"], "what came meanwhile waits for the next sync");
  t.match(buffer.status(), { lastSeq: 1, firstSeq: 1, accounts: { received: 1, buffered: 1 } });
  t.equal(buffer.lease(1e6).length, 1);
  loop.tick(0);
  disk.finish();
  t.same(told, ["one", "one"]);
});

t.test(
  "invariant 1: a failed sync tells nobody; the reading is told once the file was opened again",
  async (t) => {
    const { loop, disk, told, buffer, connection, loud } = play(t, 0);
    connection("one")();
    loop.tick(0);
    disk.finish(Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" }));
    t.same(told, []);
    t.match(buffer.status(), { state: "failed", problem: /EIO/ });
    t.match(buffer.accounts(), { received: 0 });
    loop.tick(50);
    t.same(told, ["one"], "the log was moved into the file, which syncs both");
    t.match(buffer.status(), { state: "storing", accounts: { received: 1, buffered: 1 } });
    t.equal(loud().length, 1);
  },
);

t.test("a disk that fails again after readings got through is tried again as soon as at first", async (t) => {
  const { loop, disk, told, connection } = play(t, 0);
  const send = connection("one");
  for (let round = 1; round <= 6; round++) {
    send();
    loop.tick(0);
    disk.finish(Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" }));
    t.equal(told.length, round - 1);
    loop.tick(50);
    t.equal(told.length, round);
  }
});

t.test("a page's worth is committed at once", async (t) => {
  const { loop, disk, told, connection } = play(t);
  for (let sent = 0; sent * 15 < PAGE_WORTH_BYTES; sent++) connection(`${sent}`)();
  loop.tick(0);
  t.ok(disk.isSyncing);
  disk.finish();
  t.ok(told.length > 0);
});

t.test("a full window of one connection is committed at once, the same from many is not", async (t) => {
  const { loop, disk, connection } = play(t);
  for (let sender = 0; sender < FULL_WINDOW; sender++) connection(`${sender}`)();
  loop.tick(499);
  t.notOk(disk.isSyncing);
  loop.tick(1);
  disk.finish();
  const send = connection("window");
  for (let sent = 1; sent < FULL_WINDOW; sent++) send();
  loop.tick(0);
  t.notOk(disk.isSyncing);
  send();
  loop.tick(0);
  t.ok(disk.isSyncing);
  disk.finish();
});

t.test("a sender that waits for each acknowledgement is slowed twice only", async (t) => {
  const { loop, disk, told, connection } = play(t);
  const send = connection("one");
  const waits: number[] = [];
  for (let round = 0; round < 10; round++) {
    const before = loop.ms;
    send();
    while (!disk.isSyncing) loop.tick(1);
    waits.push(loop.ms - before);
    loop.tick(2);
    disk.finish();
    loop.tick(3);
  }
  t.equal(told.length, 10);
  t.same(waits, [500, 500, ...Array.from({ length: 8 }, () => QUICK_MS)]);
});

t.test("a sender that speaks on its own is not taken for one that waits", async (t) => {
  const { loop, disk, buffer, connection } = play(t);
  const sensors = ["a", "b", "c"].map((name) => connection(name));
  // A minute of three sensors that speak ten times a second, each by its own clock.
  for (let ms = 0; ms < 60_000; ms++) {
    for (const [index, send] of sensors.entries()) if (ms % 100 === (index * 37) % 100) send();
    loop.tick(1);
    if (disk.isSyncing && ms % 3 === 0) disk.finish();
  }
  const { commits, committedReadings } = buffer.status();
  t.ok(committedReadings / commits > 10, `${committedReadings} readings in ${commits} commits`);
});
