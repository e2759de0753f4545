// What every buffer promises, run on every implementation.
import t, { type Test } from "tap";
import { inBalance } from "../../agent/buffer/state.ts";
import { statsOf } from "../../agent/buffer/tools/inspect.ts";
import type { Accounts, ReadingBuffer } from "../../agent/buffer/types.ts";
import { MemoryBuffer } from "./memory-buffer.ts";
import { drain, head, linesOf, NOW, openIn, ownFolder, settingsIn, store, until } from "./setup.ts";

const REJECTION = {
  reason: "not_json" as const,
  detail: "the payload is not JSON",
  topic: "windfarm/T07/power-factor",
  payload: Buffer.from("hello"),
  dup: false,
};

const IMPLEMENTATIONS: Record<string, (t: Test) => ReadingBuffer> = {
  durable: (t) => openIn(t, { lingerMs: t.name.includes("thousand") ? 60_000 : 0 }).buffer,
  memory: (t) => new MemoryBuffer(settingsIn(t.testdirName)),
};

for (const [name, open] of Object.entries(IMPLEMENTATIONS)) {
  t.test(`${name} buffer`, async (t) => {
    await t.test("tells a sender after the commit and not before", async (t) => {
      const buffer = open(t);
      const told: unknown[] = [];
      buffer.append(head("PP_1"), "T07", NOW, 0, (error) => told.push(error));
      t.same(told, []);
      buffer.flush();
      t.same(told, [undefined]);
      t.match(buffer.accounts(), { received: 1, buffered: 1 });
    });

    await t.test("commits by itself when the event loop has read what there is", async (t) => {
      const buffer = open(t);
      await new Promise<void>((resolve) => {
        buffer.append(head("PP_1"), "T07", NOW, 0, () => resolve());
      });
      t.equal(buffer.accounts().buffered, 1);
    });

    await t.test("commits at a thousand readings without waiting for the linger", async (t) => {
      const buffer = open(t);
      let told = 0;
      for (let number = 0; number < 1000; number++)
        buffer.append(head(`PP_${number}`), "T07", NOW, 0, () => told++);
      await until(() => told === 1000);
      t.equal(buffer.status().commits, 1);
    });

    await t.test("gives seq 1, 2, 3, … in the order of append, whatever the groups", async (t) => {
      const buffer = open(t);
      store(buffer, 0, 3);
      store(buffer, 3, 1);
      store(buffer, 4, 2);
      t.same(
        drain(buffer).map(({ id, seq }) => [id, seq]),
        [0, 1, 2, 3, 4, 5].map((number) => [`PP_${number}`, number + 1]),
      );
    });

    await t.test(
      "does not lease a group twice, and leases it again when it is sent back, oldest first",
      async (t) => {
        const buffer = open(t);
        for (const first of [0, 1, 2]) store(buffer, first, 1);
        const [one, two, three] = buffer.lease(1e6);
        t.same(buffer.lease(1e6), []);
        if (one === undefined || two === undefined || three === undefined)
          throw new Error("three groups were stored");
        buffer.settle(three.groupKey, { outcome: "again" });
        buffer.settle(one.groupKey, { outcome: "again" });
        t.same(
          buffer.lease(1e6).map(({ groupKey }) => groupKey),
          [one.groupKey, three.groupKey],
        );
      },
    );

    await t.test("leases at least one group and otherwise no more than was asked for", async (t) => {
      const buffer = open(t);
      for (const first of [0, 1, 2]) store(buffer, first, 1);
      t.equal(buffer.lease(1).length, 1);
      const [second] = buffer.lease(1);
      t.equal(buffer.lease(2 * (second?.body.length ?? 0)).length, 1);
    });

    await t.test("keeps the accounts in balance through every outcome", async (t) => {
      const buffer = open(t);
      store(buffer, 0, 2);
      store(buffer, 2, 3);
      store(buffer, 5, 4);
      const [one, two, three] = buffer.lease(1e6);
      if (one === undefined || two === undefined || three === undefined)
        throw new Error("three groups were stored");
      buffer.settle(one.groupKey, { outcome: "delivered" });
      buffer.settle(two.groupKey, { outcome: "refused", detail: "no such stream" });
      buffer.settle(three.groupKey, { outcome: "again" });
      buffer.reject(REJECTION, NOW, () => {});
      buffer.flush();
      const expected: Accounts = { received: 10, buffered: 4, shipped: 2, rejected: 4, dropped: 0 };
      t.same(buffer.accounts(), expected);
      t.ok(inBalance(expected));
    });

    await t.test("takes a settlement of something that is not out for nothing", async (t) => {
      const buffer = open(t);
      store(buffer, 0, 2);
      buffer.settle(1, { outcome: "delivered" });
      const [group] = buffer.lease(1e6);
      buffer.settle(group?.groupKey ?? 0, { outcome: "delivered" });
      buffer.settle(group?.groupKey ?? 0, { outcome: "delivered" });
      buffer.settle(4711, { outcome: "delivered" });
      buffer.flush();
      t.match(buffer.accounts(), { buffered: 0, shipped: 2 });
    });

    await t.test("calls those who wait for groups", async (t) => {
      const buffer = open(t);
      let ready = 0;
      buffer.onReady(() => ready++);
      store(buffer, 0, 1);
      t.equal(ready, 1);
    });

    await t.test("refuses readings once it is closed, and says so to the sender", async (t) => {
      const buffer = open(t);
      await buffer.close();
      let told: unknown;
      buffer.append(head("PP_1"), "T07", NOW, 0, (error) => {
        told = error;
      });
      t.ok(told instanceof Error);
    });
  });
}

t.test("a sender whose callback throws does not keep the others from being told", async (t) => {
  const { buffer, loud } = openIn(t);
  let told = 0;
  buffer.append(head("PP_1"), "T07", NOW, 0, () => {
    throw new Error("gone");
  });
  buffer.append(head("PP_2"), "T07", NOW, 0, () => told++);
  buffer.flush();
  t.equal(told, 1);
  t.equal(loud().length, 1);
});

t.test("readings appended by a callback are stored too", async (t) => {
  const { buffer } = openIn(t);
  await new Promise<void>((resolve) => {
    buffer.append(head("PP_1"), "T07", NOW, 0, () => {
      buffer.append(head("PP_2"), "T07", NOW, 0, () => resolve());
    });
  });
  t.equal(buffer.accounts().buffered, 2);
});

t.test("readings, accounts and seq survive a reopening", async (t) => {
  const folder = ownFolder(t);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 2500);
  const [group] = first.buffer.lease(1);
  first.buffer.settle(group?.groupKey ?? 0, { outcome: "delivered" });
  await first.buffer.close();
  const { buffer, loud } = openIn(t, {}, { folder });
  t.equal(buffer.epoch, first.buffer.epoch);
  t.equal(buffer.accounts().shipped, group?.count);
  const lines = drain(buffer);
  t.equal(lines.at(0)?.seq, 1 + (group?.count ?? 0));
  t.equal(lines.at(-1)?.seq, 2500);
  t.same(buffer.accounts(), { received: 2500, buffered: 0, shipped: 2500, rejected: 0, dropped: 0 });
  store(buffer, 0, 1);
  t.equal(
    linesOf(buffer.lease(1)[0]?.body ?? Buffer.alloc(0))[0]?.seq,
    2501,
    "the emptied queue goes on where it was",
  );
  t.same(loud(), [], "an orderly restart is nothing to speak of");
});

t.test("what was leased and not settled comes again after a reopening", async (t) => {
  const folder = ownFolder(t);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 5);
  first.buffer.lease(1e6);
  await first.buffer.close();
  t.equal(drain(openIn(t, {}, { folder }).buffer).length, 5);
});

t.test("the reject lane is bounded, and what leaves it stays counted", async (t) => {
  const { buffer } = openIn(t, { rejectsMaxBytes: 2000 });
  for (let number = 0; number < 50; number++) {
    buffer.reject({ ...REJECTION, payload: Buffer.alloc(300, "x") }, NOW, () => {});
    buffer.flush();
  }
  t.equal(buffer.accounts().rejected, 50);
  t.ok(buffer.status().rejectsKept > 0 && buffer.status().rejectsKept < 6);
});

t.test("a settlement is committed by itself when no reading comes", async (t) => {
  const { buffer, settings } = openIn(t);
  store(buffer, 0, 3);
  const [group] = buffer.lease(1e6);
  buffer.settle(group?.groupKey ?? 0, { outcome: "delivered" });
  t.match(buffer.accounts(), { buffered: 0, shipped: 3 }, "counted at once");
  t.equal(buffer.status().oldestReceivedMs, undefined);
  t.equal(statsOf(settings.path).accounts.buffered, 3, "and still on disk");
  while (statsOf(settings.path).accounts.buffered > 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
  t.match(statsOf(settings.path).accounts, { received: 3, shipped: 3 });
});
