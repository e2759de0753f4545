import t from "tap";
import { deaggregate } from "../../agent/contract/aggregate.ts";
import { TRICKLE_READINGS } from "../../agent/ship/trickle.ts";
import { INFO, readings, rig, WARN } from "../helpers/ship-rig.ts";

t.test("what is leased arrives, and is settled as delivered", async (t) => {
  const { stub, source, shipper } = await rig(t);
  const lines = readings(5000);
  for (let at = 0; at < lines.length; at += 1000) source.add(lines.slice(at, at + 1000));
  shipper.start();
  await source.empty();
  t.strictSame(stub.lines.sort(), lines.sort());
  t.ok(source.settlements.every(({ settlement }) => settlement.outcome === "delivered"));
  const { records, readings: shipped, bytes, failedRequests, lastSuccessMs } = shipper.stats();
  t.match(
    { records, shipped, bytes, failedRequests },
    { ...only(stub.counts), shipped: 5000, failedRequests: 0 },
  );
  t.type(lastSuccessMs, "number");
  t.equal(shipper.state(), "idle");
});

function only({ records, bytes }: { records: number; bytes: number }) {
  return { records, bytes };
}

t.test("readings that come later are noticed", async (t) => {
  const { stub, source, shipper } = await rig(t);
  shipper.start();
  source.add(readings(3));
  await source.empty();
  source.add(readings(3, 3));
  await source.empty();
  t.equal(stub.lines.length, 6);
});

t.test("few readings wait for company, but not longer than they are told to", async (t) => {
  const { stub, source, shipper } = await rig(t, {}, { flushEveryMs: 200 });
  shipper.start();
  const startedMs = performance.now();
  for (let at = 0; at < 4; at++) source.add(readings(1, at));
  await source.empty();
  t.ok(performance.now() - startedMs >= 199);
  t.equal(stub.records.length, 1, "all in one record");
});

t.test("a full record leaves at once", async (t) => {
  const { stub, source, shipper } = await rig(t, {}, { flushEveryMs: 3_600_000 });
  shipper.start();
  source.add(readings(300));
  await stub.until(() => stub.records.length === 1);
  t.equal(source.settlements.length, 0, "the group's end still waits");
  await shipper.stop(5000);
  t.equal(stub.lines.length, 300, "until the shipper stops");
  t.equal(source.unsettled, 0);
});

t.test(
  "readings that trickle in are leased together: when many wait, or when the shipper stops",
  async (t) => {
    const { stub, source, shipper } = await rig(t, {}, { flushEveryMs: 3_600_000 });
    const turns = async () => {
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    };
    shipper.start();
    for (let at = 0; at < TRICKLE_READINGS; at++) {
      source.add(readings(1, at));
      await turns();
    }
    t.equal(source.leased, 1, "the first begins a record, the others wait for it to be due");
    source.add(readings(1, TRICKLE_READINGS));
    await turns();
    t.equal(source.leased, TRICKLE_READINGS + 1, "or for many");
    source.add(readings(1, TRICKLE_READINGS + 1));
    await turns();
    await shipper.stop(5000);
    t.equal(stub.lines.length, TRICKLE_READINGS + 2);
  },
);

t.test("without aggregation a record is a reading, and a request has up to 500 of them", async (t) => {
  const requests: number[] = [];
  const fault = ({ records }: { records: number }) => void requests.push(records);
  const { stub, source, shipper } = await rig(t, { fault }, { aggregation: "none" });
  const lines = readings(1200);
  source.add(lines);
  shipper.start();
  await source.empty();
  t.strictSame(requests, [500, 500, 200]);
  t.strictSame(stub.records.map(({ data }) => data.toString()).sort(), lines.sort());
  t.equal(new Set(stub.records.map(({ key }) => key)).size, 1200);
});

t.test("every reading carries the key of its record", async (t) => {
  const { stub, source, shipper } = await rig(t);
  source.add(readings(1000));
  shipper.start();
  await source.empty();
  t.ok(stub.records.length > 1);
  t.ok(stub.records.every(({ key, readings }) => readings.every((reading) => reading.key === key)));
  t.equal(new Set(stub.records.map(({ key }) => key)).size, stub.records.length);
});

t.test(
  "of a partly failed request only the failed records go again, with the same bytes and keys",
  async (t) => {
    const fails = (index: number) => index % 3 === 1;
    const { stub, source, shipper } = await rig(
      t,
      { fault: ({ index }) => (index === 0 ? { kind: "partial", fails } : undefined) },
      { maxInFlight: 1 },
    );
    source.add(readings(4000));
    shipper.start();
    await source.empty();
    const first = stub.seen.filter(({ request }) => request === 0);
    const failed = first.filter((_, index) => fails(index));
    t.ok(failed.length > 1);
    const again = stub.seen.filter(
      ({ key, request }) => request > 0 && first.some((record) => record.key === key),
    );
    t.strictSame(
      again.map(({ key, data }) => ({ key, data })),
      failed.map(({ key, data }) => ({ key, data })),
    );
    t.equal(stub.lines.length, 4000, "no reading was stored twice");
    t.equal(shipper.stats().failedRecords, failed.length);
  },
);

t.test("a group that shares records is settled only when the last of them was accepted", async (t) => {
  const { stub, source, shipper } = await rig(t, {
    fault: ({ index }) => (index < 3 ? { kind: "partial", fails: (at) => at === 1 } : undefined),
  });
  source.onSettle = (_, lines) => {
    const early = lines.filter((line) => !stub.answered.has(line));
    if (early.length > 0) t.fail(`settled ${early.length} readings too early`);
  };
  for (let at = 0; at < 4000; at += 400) source.add(readings(400, at));
  shipper.start();
  await source.empty();
  t.equal(source.settlements.length, 10);
});

t.test("an outage is told once, ends by itself, and loses nothing", async (t) => {
  const { stub, source, shipper, log, warned } = await rig(t);
  shipper.start();
  await stub.outage();
  source.add(readings(10));
  await warned();
  t.equal(shipper.state(), "failing");
  t.match(shipper.stats().lastError, { code: "ship.refused", hint: /kinesis\.endpoint/ });
  t.equal(source.settlements.length, 0);
  await stub.start();
  await source.empty();
  t.match(
    log.map(({ level, code }) => ({ level, code })),
    [{ level: WARN, code: "ship.refused" }, { level: INFO }],
  );
  t.match(log[1]?.msg, /accepts readings again after \d+ s/);
  t.equal(shipper.state(), "idle");
});

t.test("readings without end are taken from the source only as they are delivered", async (t) => {
  const { stub, source, shipper } = await rig(t, {
    fault: () => ({ kind: "exception", status: 500, type: "InternalFailure" }),
  });
  const group = readings(1000).join("");
  for (let at = 0; at < 60; at++) source.add([group]);
  shipper.start();
  await stub.until(() => stub.counts.requests === 10);
  const held = source.leased * group.length;
  t.ok(held >= 1024 * 1024 && held <= 5 * 1024 * 1024, `${held} bytes are held of ${60 * group.length}`);
  stub.fault = undefined;
  await source.empty();
  t.equal(stub.counts.readings, 60_000);
});

t.test("a throttled stream slows the shipper down, and it says so once", async (t) => {
  const { stub, source, shipper, log } = await rig(t, {
    fault: ({ index }) => (index < 5 ? { kind: "throttle" } : undefined),
  });
  source.add(readings(1000));
  shipper.start();
  await source.empty();
  t.equal(log.filter(({ level, code }) => level === WARN && code === "ship.throttled").length, 1);
  t.equal(stub.lines.length, 1000);
  t.equal(shipper.state(), "throttled", "until it has been well for a while");
  for (let at = 0; shipper.state() !== "idle"; at++) {
    source.add(readings(1, 1000 + at));
    await source.empty();
  }
  t.equal(log.filter(({ level }) => level === INFO).length, 1);
});

t.test("a request that is never answered is given up and sent again", async (t) => {
  for (const headers of [false, true]) {
    const { stub, source, shipper } = await rig(
      t,
      { fault: ({ index }) => (index === 0 ? { kind: "hang", headers } : undefined) },
      { requestTimeoutMs: 300 },
    );
    source.add(readings(10));
    shipper.start();
    await source.empty();
    t.equal(stub.lines.length, 10);
    t.equal(
      shipper.stats().lastError?.code,
      "ship.timeout",
      headers ? "in the middle of its answer" : "at all",
    );
  }
});

t.test("an answer that is none is not taken for one", async (t) => {
  const bodies = ["", "<html>login</html>", "{}", '{"FailedRecordCount":0,"Records":[]}', '{"Records":[{}]}'];
  const { stub, source, shipper } = await rig(t, {
    fault: ({ index }) => {
      const body = bodies[index];
      return body === undefined ? undefined : { kind: "garbage", body };
    },
  });
  source.add(readings(10));
  shipper.start();
  await source.empty();
  t.equal(shipper.stats().failedRequests, bodies.length);
  t.equal(stub.lines.length, 10);
});

t.test(
  "a reading larger than a record may be is set aside with its group, and the others go on",
  async (t) => {
    const { stub, source, shipper } = await rig(t);
    source.add(readings(3));
    source.add([`{"id":"${"x".repeat(1024 * 1024)}"}\n`]);
    source.add(readings(3, 3));
    shipper.start();
    await source.empty();
    t.strictSame(source.settlements.map(({ settlement }) => settlement.outcome).sort(), [
      "delivered",
      "delivered",
      "refused",
    ]);
    t.equal(stub.lines.length, 6);
  },
);

t.test("the largest reading that fits a record travels in one of its own", async (t) => {
  const { stub, source, shipper } = await rig(t);
  const long = `${"x".repeat(1024 * 1024 - 8 - 1)}\n`;
  source.add([...readings(1), long, ...readings(1, 1)]);
  shipper.start();
  await source.empty();
  const alone = stub.records.find(({ data }) => deaggregate(data) === undefined);
  t.equal(alone?.data.length, long.length);
  t.equal(stub.counts.refused, 0);
});

t.test("a source that can't be read is asked again", async (t) => {
  const { source, shipper, log } = await rig(t);
  const lease = source.lease.bind(source);
  let broken = true;
  source.lease = (maxBytes) => {
    if (!broken) return lease(maxBytes);
    broken = false;
    throw new RangeError("disk I/O error");
  };
  source.add(readings(3));
  shipper.start();
  await source.empty();
  t.equal(log.filter(({ level }) => level === WARN).length, 1);
});
