import t from "tap";
import { readings, rig } from "../helpers/ship-rig.ts";

t.test("what is under way is finished before the shipper stops", async (t) => {
  let release = () => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { stub, source, shipper } = await rig(t, { fault: () => ({ kind: "slow", until }) });
  source.add(readings(10));
  shipper.start();
  await stub.until(() => stub.counts.requests === 1);
  const stopped = shipper.stop(10_000);
  source.add(readings(10, 10));
  release();
  await stopped;
  t.equal(stub.lines.length, 10);
  t.strictSame(
    source.settlements.map(({ settlement }) => settlement.outcome),
    ["delivered"],
  );
  t.equal(source.unsettled, 1, "what came later stays in the buffer");
  t.equal(source.leased, 0);
  t.equal(shipper.state(), "stopped");
});

t.test("an endpoint that hangs does not keep the shipper beyond its deadline", async (t) => {
  const { stub, source, shipper } = await rig(t, { fault: () => ({ kind: "hang" }) });
  source.add(readings(10));
  shipper.start();
  await stub.until(() => stub.counts.requests === 1);
  const startedMs = performance.now();
  await shipper.stop(100);
  t.ok(performance.now() - startedMs < 2000);
  t.strictSame(
    source.settlements.map(({ settlement }) => settlement.outcome),
    ["again"],
  );
});

t.test("during an outage the shipper stops without waiting for its deadline", async (t) => {
  const { stub, source, shipper, warned } = await rig(
    t,
    {},
    {},
    { backoff: { baseMs: 60_000, capMs: 60_000 } },
  );
  await stub.outage();
  source.add(readings(10));
  shipper.start();
  await warned();
  t.equal(shipper.state(), "failing");
  const startedMs = performance.now();
  await shipper.stop(30_000);
  t.ok(performance.now() - startedMs < 5000);
  t.equal(source.unsettled, 1);
  t.equal(source.leased, 0);
});

t.test("a shipper may be stopped before it was started, and more than once", async (t) => {
  const { shipper } = await rig(t);
  await shipper.stop(1000);
  await Promise.all([shipper.stop(1000), shipper.stop(1000)]);
  shipper.start();
  t.equal(shipper.state(), "stopped");
});

t.test("two calls of stop wait for the same end", async (t) => {
  const { stub, source, shipper } = await rig(t);
  source.add(readings(10));
  shipper.start();
  await Promise.all([shipper.stop(5000), shipper.stop(5000)]);
  t.equal(source.leased, 0);
  t.equal(stub.lines.length, 10 - 10 * source.unsettled);
});

t.test("another shipper takes over what the first one gave back", async (t) => {
  const first = await rig(t, { fault: () => ({ kind: "throttle" }) });
  first.source.add(readings(10));
  first.shipper.start();
  await first.stub.until(() => first.stub.counts.requests > 0);
  await first.shipper.stop(0);
  t.equal(first.source.leased, 0);
  t.equal(first.source.lease(1).length, 1);
});
