import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import t from "tap";
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

t.test("a record's worth leaves at once, the rest when a flush is due or the shipper stops", async (t) => {
  const { stub, source, shipper } = await rig(t, {}, { flushEveryMs: 3_600_000, recordBytes: 4096 });
  shipper.start();
  await turns();
  for (let at = 0; at < 1000; at += 250) source.add(readings(250, at));
  await stub.until(() => stub.records.length > 0);
  await turns();
  t.ok(source.unsettled > 0, "what fills no record waits");
  await shipper.stop(5000);
  t.equal(stub.lines.length, 1000);
  t.equal(source.unsettled, 0);
});

t.test("readings that trickle in travel as one gzip member, whole groups as they are", async (t) => {
  const { stub, source, shipper } = await rig(t, {}, { flushEveryMs: 3_600_000 });
  shipper.start();
  await turns();
  for (let at = 0; at < 40; at++) source.add(readings(3, at * 3));
  await turns();
  t.equal(source.leased, 0, "a trickle waits for its flush");
  await shipper.stop(5000);
  t.equal(stub.records.length, 1);
  t.equal(membersIn(stub.records[0]?.data), 1);
  t.ok((stub.records[0]?.data.length ?? 0) < 120 * 25, `${stub.records[0]?.data.length} bytes`);

  const large = await rig(t);
  for (let at = 0; at < 4; at++) large.source.add(readings(1000, at * 1000));
  large.shipper.start();
  await large.source.empty();
  t.equal(
    large.stub.records.reduce((sum, { data }) => sum + membersIn(data), 0),
    4,
  );
});

/** A member's head, as zlib writes it; three bytes that the content of a test doesn't have. */
function membersIn(data: Buffer | undefined): number {
  return (data ?? Buffer.alloc(0)).toString("latin1").split("\x1f\x8b\x08\x00").length - 1;
}

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}

t.test("a record is its members one after the other: what a raw object is made of", async (t) => {
  const { stub, source, shipper } = await rig(t);
  for (let at = 0; at < 3000; at += 500) source.add(readings(500, at));
  shipper.start();
  await source.empty();
  const object = Buffer.concat(stub.records.map(({ data }) => data));
  t.equal(gunzipSync(object).toString().split("\n").length - 1, 3000);
  t.equal(new Set(stub.records.map(({ key }) => key)).size, stub.records.length, "keys differ");
});

t.test(
  "of a partly failed request only the failed records go again, with the same bytes and keys",
  async (t) => {
    const fails = (index: number) => index % 3 === 1;
    const { stub, source, shipper } = await rig(
      t,
      { fault: ({ index }) => (index === 0 ? { kind: "partial", fails } : undefined) },
      { maxInFlight: 1, recordBytes: 4096 },
    );
    for (let at = 0; at < 4000; at += 200) source.add(readings(200, at));
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

t.test("a group is settled only when its record was accepted", async (t) => {
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
  let answer = () => {};
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { stub, source, shipper } = await rig(t, {
    fault: () => ({ kind: "slow", until: answered }),
  });
  const noise = () => randomBytes(45).toString("base64");
  for (let at = 0; at < 120; at++) source.add(readings(1000).map((line) => line.replace("PP_", noise())));
  const bytes = source.bytes;
  t.ok(bytes > 6 * 1024 * 1024, `${bytes} bytes wait`);
  shipper.start();
  await source.until(() => source.mostLeasedBytes >= 2 * 1024 * 1024);
  // A step a turn of the event loop: enough of them to take all that is left.
  for (let turn = 0; turn < 500; turn++) await new Promise((resolve) => setImmediate(resolve));
  answer();
  await source.empty();
  t.ok(source.mostLeasedBytes <= 4.5 * 1024 * 1024, `${source.mostLeasedBytes} bytes were held`);
  t.equal(stub.counts.readings, 120_000);
});

t.test("a throttled stream slows the shipper down, and it says so once", async (t) => {
  let throttles = true;
  const { stub, source, shipper, log } = await rig(
    t,
    { fault: () => (throttles ? { kind: "throttle" } : undefined) },
    {},
    { backoff: { baseMs: 2, capMs: 1000 } },
  );
  source.add(readings(1000));
  shipper.start();
  await stub.until(() => stub.counts.requests === 5);
  t.equal(shipper.state(), "throttled");
  throttles = false;
  await source.empty();
  t.equal(log.filter(({ level, code }) => level === WARN && code === "ship.throttled").length, 1);
  t.equal(stub.lines.length, 1000);
  for (let at = 0; log.every(({ level }) => level !== INFO); at++) {
    source.add(readings(1, 1000 + at));
    await source.empty();
  }
  t.equal(
    log.filter(({ level }) => level === INFO).length,
    1,
    "that it is over is told once it has been well",
  );
  t.equal(shipper.state(), "idle");
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
    source.add([`{"id":"${randomBytes(1024 * 1024).toString("base64")}"}\n`]);
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

t.test("a source that can't be read is asked again", async (t) => {
  const { source, shipper, log } = await rig(t);
  const lease = source.lease.bind(source);
  let broken = true;
  source.lease = (maxBytes, end) => {
    if (!broken) return lease(maxBytes, end);
    broken = false;
    throw new RangeError("disk I/O error");
  };
  source.add(readings(3));
  shipper.start();
  await source.empty();
  t.equal(log.filter(({ level }) => level === WARN).length, 1);
});
