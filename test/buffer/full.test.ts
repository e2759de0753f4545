// Promise 6: the buffer has a size, and says what it does when it is full.
import { randomBytes } from "node:crypto";
import { statSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import t from "tap";
import { inBalance } from "../../agent/buffer/state.ts";
import { EVENT_LOOP } from "../../agent/buffer/timers.ts";
import { newestRejects } from "../../agent/buffer/tools/inspect.ts";
import type { ReadingBuffer } from "../../agent/buffer/types.ts";
import { drain, head, NOW, openIn, ownFolder, until } from "./setup.ts";

const MIB = 1024 * 1024;

interface Sender {
  sent: number;
  stored: Set<string>;
  refused: number;
}

/** Appends `count` readings of about 5 kB that don't deflate. */
function send(buffer: ReadingBuffer, sender: Sender, count: number): void {
  for (let left = count; left > 0; left--) {
    const id = `${sender.sent++}:${randomBytes(3700).toString("base64url")}`;
    buffer.append(head(id), "T07", NOW, 0, (error) => {
      if (error == null) sender.stored.add(id);
      else sender.refused++;
    });
  }
  buffer.flush();
}

const newSender = (): Sender => ({ sent: 0, stored: new Set(), refused: 0 });

t.test("refuse: what does not fit waits for its acknowledgement until readings are delivered", async (t) => {
  const { buffer, settings, loud, lines } = openIn(t, { maxBytes: 2 * MIB });
  const sender = newSender();
  const states: string[] = [];
  buffer.onState((state) => states.push(state));
  while (buffer.status().state === "storing") send(buffer, sender, 20);
  const before = sender.stored.size;
  send(buffer, sender, 20);
  t.equal(buffer.status().state, "full");
  t.match(buffer.status().problem, /full/);
  t.equal(sender.stored.size, before, "nothing more is acknowledged");
  t.equal(buffer.status().pending, sender.sent - before, "and nothing is refused either: it waits");
  t.equal(buffer.accounts().received, before);
  t.ok(statSync(settings.path).size <= 2 * MIB, "the file keeps to its size");

  const delivered = [...drain(buffer), ...drain(buffer), ...drain(buffer)];
  t.equal(sender.stored.size, sender.sent, "all are acknowledged in the end");
  t.same(new Set(delivered.map(({ id }) => id)), sender.stored);
  t.same(
    delivered.map(({ seq }) => seq),
    delivered.map((_, index) => index + 1),
    "in order, without gaps",
  );
  t.equal(buffer.status().state, "storing");
  t.same(states, ["full", "storing"]);
  t.equal(loud().length, 1, "said once");
  t.equal(lines.filter(({ msg }) => msg.includes("stores readings again")).length, 1, "and its end once");
});

t.test("refuse: un-acknowledged readings have a limit too, beyond it senders are told", async (t) => {
  const { buffer } = openIn(t, { maxBytes: MIB });
  const sender = newSender();
  while (sender.refused === 0 && sender.sent < 10_000) send(buffer, sender, 100);
  t.ok(sender.refused > 0);
  t.ok(buffer.status().pending * 5000 < 20 * MIB);
  const refused = sender.refused;
  drain(buffer);
  while (buffer.status().pending > 0) drain(buffer);
  t.equal(sender.stored.size, sender.sent - refused, "those that waited are stored");
});

t.test("drop_oldest: the oldest groups go, are counted, and the newest are stored", async (t) => {
  const { buffer, settings, loud } = openIn(t, { maxBytes: 2 * MIB, onFull: "drop_oldest" });
  const sender = newSender();
  while (sender.sent < 2000) send(buffer, sender, 20);
  t.equal(sender.stored.size, sender.sent, "every reading is acknowledged");
  const { dropped, buffered } = buffer.accounts();
  t.ok(dropped > 1000, `${dropped} dropped`);
  t.ok(inBalance(buffer.accounts()));
  t.ok(statSync(settings.path).size <= 2 * MIB);
  const arrived = drain(buffer);
  t.equal(arrived.length, buffered);
  t.equal(arrived.at(0)?.seq, dropped + 1, "it is the oldest that are missing");
  t.equal(loud().length, 1, "said once");
});

t.test("drop_oldest: large groups that make room for small ones do not end the state", async (t) => {
  const { buffer, loud } = openIn(t, { maxBytes: MIB, onFull: "drop_oldest" });
  const states: string[] = [];
  buffer.onState((state) => states.push(state));
  const sender = newSender();
  for (let round = 0; round < 10; round++) {
    for (let large = 0; large < 4; large++) send(buffer, sender, 50);
    for (let small = 0; small < 60; small++) send(buffer, sender, 1);
  }
  t.strictSame(states, ["full"]);
  t.equal(loud().length, 1, "said once");
  drain(buffer);
  t.strictSame(states, ["full", "storing"], "over when they are delivered");
});

t.test("drop_oldest: a group that is out is dropped last, and its settlement is then nothing", async (t) => {
  const { buffer } = openIn(t, { maxBytes: 2 * MIB, onFull: "drop_oldest" });
  const sender = newSender();
  send(buffer, sender, 20);
  const [out] = buffer.lease(1);
  while (sender.sent < 1000) send(buffer, sender, 20);
  const dropped = buffer.accounts().dropped;
  buffer.settle(out?.groupKey ?? 0, { outcome: "delivered" });
  buffer.flush();
  t.match(buffer.accounts(), { shipped: out?.count, dropped }, "it was still there");

  for (let groups = buffer.lease(1e7); groups.length > 0; groups = buffer.lease(1e7)) t.ok(true);
  while (sender.sent < 3000) send(buffer, sender, 20);
  t.ok(inBalance(buffer.accounts()), "with everything out, even that is dropped");
  t.ok(buffer.accounts().dropped > dropped);
});

/** Sends junk of these lengths, one after the other or in one group; how many were stored. */
function sendJunk(buffer: ReadingBuffer, lengths: number[], flush: "each" | "once"): number {
  let stored = 0;
  for (const length of lengths) {
    const rejection = {
      reason: "not_json" as const,
      detail: "no JSON",
      topic: "windfarm/T07/power-factor",
      dup: false,
    };
    buffer.reject({ ...rejection, payload: randomBytes(length) }, NOW, (error) => {
      if (error == null) stored++;
    });
    if (flush === "each") buffer.flush();
  }
  buffer.flush();
  return stored;
}

t.test("invariant 8: junk alone never fills the buffer", async (t) => {
  const { buffer, loud } = openIn(t, { maxBytes: MIB });
  const sizes = [62_000, 62_000, 62_000, 62_000, 500_000, 62_000, 500_000];
  t.equal(sendJunk(buffer, sizes, "each"), sizes.length, "large ones");
  const small = Array.from({ length: 3000 }, () => 50);
  t.equal(sendJunk(buffer, small, "once"), small.length, "thousands at once");
  const many = Array.from({ length: 300 }, () => 2100);
  t.equal(sendJunk(buffer, many, "each"), many.length, "more than the lane holds");
  const sender = newSender();
  send(buffer, sender, 40);
  t.equal(sender.stored.size, 40, "and there is room for readings");
  t.equal(buffer.accounts().rejected, sizes.length + small.length + many.length);
  t.ok(inBalance(buffer.accounts()));
  t.same(loud(), []);
});

t.test("of a reject that is too long the beginning is kept, and how long it was is said", async (t) => {
  const { buffer, settings } = openIn(t, { rejectsMaxBytes: 4000 });
  t.equal(sendJunk(buffer, [900, 5000], "each"), 2);
  t.same(
    newestRejects(settings.path, 2).map(({ payload, detail }) => [payload.length, detail]),
    [
      [1000, "no JSON (the first 1000 of its 5000 bytes are kept)"],
      [900, "no JSON"],
    ],
  );
});

t.test("drop_oldest: what would not fit into an empty buffer either drops nothing", async (t) => {
  const { buffer } = openIn(t, { maxBytes: MIB, onFull: "drop_oldest" });
  const sender = newSender();
  send(buffer, sender, 60);
  const before = buffer.accounts();
  buffer.append(head(randomBytes(900_000).toString("base64url")), "T07", NOW, 0, (error) => {
    if (error == null) t.fail("stored");
  });
  buffer.flush();
  t.equal(buffer.status().state, "full");
  t.same(buffer.accounts(), before);
  t.equal(drain(buffer).length, 60);
});

for (const onFull of ["drop_oldest", "refuse"] as const) {
  t.test(`${onFull}: delivered readings make room before any other is dropped or refused`, async (t) => {
    const { buffer, loud } = openIn(t, { maxBytes: 2 * MIB, onFull, lingerMs: 1 });
    const sender = newSender();
    while (buffer.status().usedBytes < 1.6 * MIB) send(buffer, sender, 20);
    const out = buffer.lease(1e7);
    for (const { groupKey } of out.slice(0, 10)) buffer.settle(groupKey, { outcome: "delivered" });
    for (const { groupKey } of out.slice(10)) buffer.settle(groupKey, { outcome: "again" });
    const delivered = out.slice(0, 10).reduce((sum, { count }) => sum + count, 0);
    // Through the event loop, as from the sensors: a flush would delete what is settled at all events.
    for (let groups = 8; groups > 0; groups--) {
      const goal = sender.sent + 20;
      for (let left = 20; left > 0; left--) {
        const id = `${sender.sent++}:${randomBytes(3700).toString("base64url")}`;
        buffer.append(head(id), "T07", NOW, 0, (error) => error == null && sender.stored.add(id));
      }
      await until(() => sender.stored.size === goal);
    }
    t.match(buffer.accounts(), { dropped: 0, shipped: delivered, buffered: sender.sent - delivered });
    t.same(loud(), [], "the buffer was never full");
  });
}

t.test(
  "what was delivered makes room in the file: as long an outage again does not let it grow",
  async (t) => {
    const { buffer, settings } = openIn(t);
    const db = new Database(settings.path, { readonly: true });
    t.teardown(() => db.close());
    const sender = newSender();
    const outage = () => {
      for (const end = sender.sent + 2000; sender.sent < end; ) send(buffer, sender, 100);
      drain(buffer);
      drain(buffer);
      return Number(db.pragma("page_count", { simple: true }));
    };
    const pages = outage();
    t.ok(pages > 7000);
    t.ok(buffer.status().usedBytes < MIB, "free pages do not count as used");
    const again = outage();
    t.ok(again < pages * 1.01, `${again} pages after ${pages}`);
  },
);

t.test(
  "a full buffer takes readings again when quarantined files are moved away, without a delivery",
  async (t) => {
    const folder = ownFolder(t);
    const file = join(folder, "buffer.db.damaged-20261101T000000Z");
    writeFileSync(file, Buffer.alloc(5 * MIB - 2));
    writeFileSync(`${file}.json`, "{}");
    // A minute, in which nobody looks at the folder, is over in 60 ms.
    const timers = { ...EVENT_LOOP, nowMs: () => 1000 * EVENT_LOOP.nowMs() };
    timers.later = (run, ms) => EVENT_LOOP.later(run, ms / 1000);
    const { buffer } = openIn(t, { maxBytes: 4 * MIB }, { folder, timers });
    t.equal(buffer.status().maxBytes, 3 * MIB);
    const sender = newSender();
    while (buffer.status().state === "storing") send(buffer, sender, 20);
    t.ok(sender.stored.size < sender.sent);
    for (const part of ["", ".json"]) unlinkSync(`${file}${part}`);
    await until(() => sender.stored.size === sender.sent);
    t.match(buffer.status(), { state: "storing", maxBytes: 4 * MIB });
  },
);
