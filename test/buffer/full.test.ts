// Promise 6: the buffer has a size, and says what it does when it is full.
import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import t from "tap";
import { inBalance } from "../../agent/buffer/state.ts";
import type { ReadingBuffer } from "../../agent/buffer/types.ts";
import { drain, head, NOW, openIn } from "./setup.ts";

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
    buffer.append(head(id), "T07", NOW, (error) => {
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

t.test("drop_oldest: a group that is out is dropped last, and its settlement is then nothing", async (t) => {
  const { buffer } = openIn(t, { maxBytes: 2 * MIB, onFull: "drop_oldest" });
  const sender = newSender();
  send(buffer, sender, 20);
  const [out] = buffer.lease(1);
  while (sender.sent < 1000) send(buffer, sender, 20);
  const dropped = buffer.accounts().dropped;
  buffer.settle(out?.firstSeq ?? 0, { outcome: "delivered" });
  buffer.flush();
  t.match(buffer.accounts(), { shipped: out?.count, dropped }, "it was still there");

  for (let groups = buffer.lease(1e7); groups.length > 0; groups = buffer.lease(1e7)) t.ok(true);
  while (sender.sent < 3000) send(buffer, sender, 20);
  t.ok(inBalance(buffer.accounts()), "with everything out, even that is dropped");
  t.ok(buffer.accounts().dropped > dropped);
});

t.test("free pages go back to the file system while nobody waits", async (t) => {
  const { buffer, settings } = openIn(t);
  const sender = newSender();
  while (sender.sent < 2000) send(buffer, sender, 100);
  const full = statSync(settings.path).size + statSync(`${settings.path}-wal`).size;
  drain(buffer);
  drain(buffer);
  await buffer.close();
  const again = openIn(t, {}, { folder: settings.path.replace(/\/buffer\.db$/, "") });
  while (statSync(settings.path).size > full / 2) await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(again.buffer.accounts().buffered, 0);
});
