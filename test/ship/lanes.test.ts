import { randomBytes } from "node:crypto";
import t from "tap";
import { readings, rig } from "../helpers/ship-rig.ts";

/** Readings that gzip can't shorten, so that few of them fill records. */
function large(count: number, from: number): string[] {
  return readings(count, from).map((line) =>
    line.replace('{"id":"', `{"id":"${randomBytes(300).toString("base64")}`),
  );
}

const seqOf = (line: string) => Number(/"seq":(\d+)/.exec(line)?.[1]);

t.test("while a backlog drains, new readings go before it, whenever a flush is due", async (t) => {
  const BACKLOG = 800;
  const { stub, source, shipper } = await rig(
    t,
    { fault: () => ({ kind: "slow", until: new Promise((resolve) => setTimeout(resolve, 60)) }) },
    { flushEveryMs: 100, maxInFlight: 1 },
  );
  for (let at = 0; at < BACKLOG; at++) source.add(large(20, at * 20));
  shipper.start();
  await stub.until(() => stub.counts.records > 0);
  for (let each = 0; each < 3; each++) {
    const seq = 1_000_000 + each;
    source.add(readings(1, seq));
    await stub.until(() => stub.lines.some((line) => seqOf(line) === seq));
  }
  // By time it would be told apart from a busy machine only; in its place in the queue it would have come last.
  t.ok(source.unsettled > BACKLOG / 4, `${source.unsettled} groups of the backlog still wait`);
  t.ok((shipper.stats().newestShippedMs ?? 0) > 0);
  await source.empty();
  t.equal(new Set(stub.lines).size, BACKLOG * 20 + 3);
});

t.test("while nothing gets across, live readings don't fill the memory", async (t) => {
  const { stub, source, shipper, warned } = await rig(t, {}, { flushEveryMs: 10 });
  await stub.outage();
  shipper.start();
  source.add(readings(5, 0));
  await warned();
  for (let at = 1; at < 50; at++) {
    source.add(readings(5, at * 5));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  t.ok(source.leased < 25, `${source.leased} of 50 groups are held`);
  await stub.start();
  await source.empty();
  t.equal(new Set(stub.lines).size, 250);
});

t.test("a record that times out is cut anew, down to one group", async (t) => {
  const sizes: number[] = [];
  const { stub, source, shipper } = await rig(
    t,
    {
      fault: ({ bytes }) => {
        sizes.push(bytes);
        return bytes > 3000 ? { kind: "hang" } : undefined;
      },
    },
    { requestTimeoutMs: 700, maxInFlight: 1 },
  );
  for (let at = 0; at < 40; at++) source.add(large(3, at * 3));
  shipper.start();
  await source.empty();
  t.ok(Math.max(...sizes) > 20_000, `${Math.max(...sizes)} bytes at first`);
  t.equal(stub.counts.readings, 120);
  t.equal(new Set(stub.lines).size, 120, "nothing twice, nothing lost");
  t.equal(shipper.stats().lastError?.code, "ship.timeout");
});

t.test("a record refused for itself rests, and holds up no other", async (t) => {
  const HOUR_MS = 3_600_000;
  let skippedMs = 0;
  const { stub, source, shipper } = await rig(
    t,
    {
      fault: ({ index }) => ({
        kind: "partial",
        code: "InternalFailure",
        fails: (at) => index < 2 && at === 0,
      }),
    },
    { recordBytes: 4096, maxInFlight: 1 },
    {
      backoff: { baseMs: HOUR_MS, capMs: HOUR_MS },
      random: () => 1,
      monotonicMs: () => performance.now() + skippedMs,
    },
  );
  for (let at = 0; at < 130; at++) source.add(large(10, at * 10));
  shipper.start();
  await source.until(() => source.unsettled === 2);
  t.equal(shipper.stats().failedRecords, 2, "the others are through while two rest for an hour");
  skippedMs = HOUR_MS;
  source.add(readings(1, 5000));
  await source.empty();
  t.equal(stub.counts.readings, 1301);
});
