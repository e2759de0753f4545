import assert from "node:assert/strict";
import fc from "fast-check";
import t from "tap";
import { createShipper } from "../../agent/ship/shipper.ts";
import { type StubFault, startKinesisStub } from "../helpers/kinesis-stub.ts";
import { LineSource } from "../helpers/line-source.ts";
import { readableLog, readings, shipSettings } from "../helpers/ship-rig.ts";

type Play = StubFault | "outage" | undefined;

const positions = fc.array(fc.nat(14), { maxLength: 8 });
const exceptions = [
  "InternalFailure",
  "KMSThrottlingException",
  "AccessDeniedException",
  "ExpiredTokenException",
];
const play: fc.Arbitrary<Play> = fc.oneof(
  fc.constant(undefined),
  fc.constant<Play>({ kind: "throttle" }),
  fc.constant<Play>({ kind: "cut" }),
  fc.constant<Play>({ kind: "lost_reply" }),
  fc.constant<Play>({ kind: "garbage", body: '{"Records":[]}' }),
  fc.constant<Play>("outage"),
  positions.map((failing): Play => ({ kind: "partial", fails: (index) => failing.includes(index) })),
  positions.map(
    (failing): Play => ({
      kind: "partial",
      fails: (index) => !failing.includes(index),
      code: "InternalFailure",
    }),
  ),
  fc.constantFrom(...exceptions).map((type): Play => ({ kind: "exception", status: 400, type })),
  fc
    .constantFrom(500, 502, 503)
    .map((status): Play => ({ kind: "exception", status, type: "InternalFailure" })),
);

const scenario = fc.record({
  groups: fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 25 }),
  plays: fc.array(play, { maxLength: 12 }),
  recordBytes: fc.constantFrom(1_000, 5_000, 51_200),
  maxInFlight: fc.integer({ min: 1, max: 4 }),
  late: fc.boolean(),
});

t.test(
  "whatever fails, every reading arrives, and is settled exactly once, after its acceptance",
  async (t) => {
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(scenario, async ({ groups, plays, recordBytes, maxInFlight, late }) => {
        runs++;
        const stub = await startKinesisStub();
        let ended = false;
        stub.fault = ({ index }) => {
          const now = plays[index];
          if (now !== "outage") return now;
          void stub.outage().then(() => (ended ? undefined : stub.start()));
          return { kind: "cut" };
        };
        const source = new LineSource();
        const early: string[] = [];
        source.onSettle = (_, lines) => early.push(...lines.filter((line) => !stub.answered.has(line)));
        const shipper = createShipper(
          shipSettings(stub.endpoint, { recordBytes, maxInFlight, flushEveryMs: 1 }),
          source,
          { log: readableLog().log, backoff: { baseMs: 1, capMs: 4 } },
        );
        if (!late) shipper.start();
        const lines: string[][] = [];
        for (const count of groups) {
          const group = readings(count, lines.flat().length);
          lines.push(group);
          source.add(group);
        }
        if (late) shipper.start();
        await source.empty();
        await shipper.stop(1000);
        ended = true;
        await stub.outage();

        assert.deepEqual(early, [], "settled before it was accepted");
        assert.deepEqual([...new Set(stub.lines)].sort(), lines.flat().sort(), "arrived");
        assert.equal(source.settlements.length, groups.length, "settled once");
        assert.ok(source.settlements.every(({ settlement }) => settlement.outcome === "delivered"));
        assert.equal(shipper.stats().readings, lines.flat().length);
      }),
      { numRuns: 30, endOnFailure: true },
    );
    t.pass(`${runs} scenarios`);
  },
);

t.test("a source told of everything at once would be found out", async (t) => {
  const stub = await startKinesisStub({
    fault: ({ index }) => (index === 0 ? { kind: "lost_reply" } : undefined),
  });
  const source = new LineSource();
  source.add(readings(10));
  const [group] = source.lease(1_000_000);
  t.ok(group);
  const early: string[] = [];
  source.onSettle = (_, lines) => early.push(...lines.filter((line) => !stub.answered.has(line)));
  source.settle(group?.groupKey ?? 0, { outcome: "delivered" });
  t.equal(early.length, 10, "the check of the property above sees a settlement that comes too early");
  await stub.outage();
});
