import t from "tap";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, Pace, type PaceSettings } from "../../agent/ship/pace.ts";

const KIB = 1024;

function paced(random = 1, changes: Partial<PaceSettings> = {}) {
  const clock = { ms: 0 };
  const settings = {
    baseMs: BACKOFF_BASE_MS,
    capMs: BACKOFF_CAP_MS,
    maxRequestBytes: 256 * KIB,
    targetMs: 5000,
    ...changes,
  };
  const pace = new Pace(
    settings,
    () => clock.ms,
    () => random,
  );
  /** A request of `bytes` that is answered: all accepted, or the share `throttled` not. */
  const request = (bytes: number, tookMs: number, throttled = 0) => {
    const sent = pace.sent(bytes);
    clock.ms += tookMs;
    pace.answered(sent, tookMs, bytes * (1 - throttled), bytes * throttled, throttled > 0);
  };
  return { clock, pace, request };
}

t.test("the first request may leave at once, with all its company", async (t) => {
  const { pace } = paced();
  t.equal(pace.waitMs, 0);
  t.equal(pace.allowed(4), 4);
  t.equal(pace.requestBytes, 256 * KIB);
});

t.test("each failure doubles the backoff up to ten seconds, and one success ends it", async (t) => {
  const { pace, request } = paced();
  const waits: number[] = [];
  for (let each = 0; each < 11; each++) {
    pace.failed();
    waits.push(pace.waitMs);
  }
  t.strictSame(waits, [200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000, 10000, 10000]);
  t.ok(pace.failing);
  t.equal(pace.allowed(4), 1, "one request at a time tries");
  request(KIB, 10);
  t.ok(pace.calm);
  t.equal(pace.allowed(4), 4);
});

t.test("the backoff has full jitter and passes with the clock", async (t) => {
  t.equal(paced(0).pace.waitMs, 0);
  const { pace, clock } = paced(0.5);
  pace.failed();
  t.equal(pace.waitMs, 100);
  clock.ms = 60;
  t.equal(pace.waitMs, 40);
  clock.ms = 500;
  t.equal(pace.waitMs, 0);
});

t.test("endless failure never overflows", async (t) => {
  const { pace } = paced();
  for (let each = 0; each < 5000; each++) pace.failed();
  t.equal(pace.waitMs, BACKOFF_CAP_MS);
});

t.test("a request that is throttled as a whole is tried again later, and is no failure", async (t) => {
  const { pace, request } = paced();
  const waits: number[] = [];
  for (let each = 0; each < 9; each++) {
    request(KIB, 0, 1);
    waits.push(pace.waitMs);
  }
  t.strictSame(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
  t.notOk(pace.failing);
  t.notOk(pace.calm);
});

t.test("a tenth of the records throttled now and then slows nothing down", async (t) => {
  const { pace, request, clock } = paced();
  request(100 * KIB, 10, 0.1);
  t.equal(pace.waitMs, 0);
  t.notOk(pace.calm, "but it is told for a while");
  clock.ms += 3 * BACKOFF_CAP_MS;
  t.ok(pace.calm);
});

t.test("requests shrink on a slow link until one gets through, and grow again on a quick one", async (t) => {
  const { pace, request } = paced(0);
  pace.failed(256 * KIB);
  t.equal(pace.requestBytes, 128 * KIB);
  pace.failed(40 * KIB);
  t.equal(pace.requestBytes, 20 * KIB, "half of what was too much");
  for (let each = 0; each < 20; each++) pace.failed(40 * KIB);
  t.equal(pace.requestBytes, KIB);
  t.equal(pace.recordBytes, KIB, "records are cut anew to that size");
  request(KIB, 6000);
  t.equal(pace.requestBytes, KIB, "an answer that took too long");
  request(KIB, 4000);
  t.equal(pace.requestBytes, KIB, "an answer in good time");
  t.equal(pace.allowed(4), 1, "several at once would share the slow link");
  for (let each = 0; each < 20; each++) request(KIB, 100);
  t.equal(pace.requestBytes, 256 * KIB);
  t.equal(pace.allowed(4), 4);
});

t.test("a link that others share gets no more than it may", async (t) => {
  const { pace, clock } = paced(0, { maxBandwidth: 20 * KIB });
  t.ok(pace.requestBytes <= 10 * KIB, "requests are small, so that nothing waits long for the next");
  let sent = 0;
  for (clock.ms = 0; clock.ms < 600_000; clock.ms += 10) {
    if (pace.waitMs > 0) continue;
    pace.sent(8 * KIB);
    sent += (8 * KIB * 4) / 3;
  }
  t.ok(sent <= 600 * 20 * KIB, `${sent / 600} bytes a second`);
  t.ok(sent >= 400 * 20 * KIB, `${sent / 600} bytes a second besides heads and answers`);
});
