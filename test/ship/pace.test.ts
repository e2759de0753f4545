import t from "tap";
import { BACKOFF_BASE_MS, BACKOFF_CAP_MS, Pace } from "../../agent/ship/pace.ts";

const KIB = 1024;

function paced(random = 1) {
  const clock = { ms: 0 };
  const settings = {
    baseMs: BACKOFF_BASE_MS,
    capMs: BACKOFF_CAP_MS,
    maxRequestBytes: 768 * KIB,
    requestTimeoutMs: 10_000,
  };
  return {
    clock,
    pace: new Pace(
      settings,
      () => clock.ms,
      () => random,
    ),
  };
}

t.test("the first request may leave at once, with all its company", async (t) => {
  const { pace } = paced();
  t.equal(pace.waitMs, 0);
  t.equal(pace.allowed(4), 4);
  t.equal(pace.requestBytes, 768 * KIB);
});

t.test("each failure doubles the backoff up to half a minute, and one success ends it", async (t) => {
  const { pace } = paced();
  const waits: number[] = [];
  for (let each = 0; each < 11; each++) {
    pace.failed(false);
    waits.push(pace.waitMs);
  }
  t.strictSame(waits, [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000]);
  t.ok(pace.failing);
  t.equal(pace.allowed(4), 1, "one request at a time tries");
  pace.succeeded(10);
  t.ok(pace.calm);
  t.equal(pace.waitMs, 0);
  t.equal(pace.allowed(4), 4);
});

t.test("the backoff has full jitter and passes with the clock", async (t) => {
  t.equal(paced(0).pace.waitMs, 0);
  const { pace, clock } = paced(0.5);
  pace.failed(false);
  t.equal(pace.waitMs, 100);
  clock.ms = 60;
  t.equal(pace.waitMs, 40);
  clock.ms = 500;
  t.equal(pace.waitMs, 0);
});

t.test("endless failure never overflows", async (t) => {
  const { pace } = paced();
  for (let each = 0; each < 5000; each++) pace.failed(false);
  t.equal(pace.waitMs, BACKOFF_CAP_MS);
});

t.test("throttling slows down without giving up the progress made", async (t) => {
  const { pace } = paced(0.5);
  pace.throttled();
  t.equal(pace.waitMs, 100);
  pace.throttled();
  t.equal(pace.waitMs, 200);
  t.notOk(pace.failing);
  t.notOk(pace.calm);
  pace.succeeded(10);
  t.equal(pace.waitMs, 170, "a good answer shortens the pause a little");
  for (let each = 0; each < 30; each++) pace.succeeded(10);
  t.ok(pace.calm, "and many end it");
  for (let each = 0; each < 20; each++) pace.throttled();
  t.equal(pace.waitMs, 5000, "the longest pause");
});

t.test("requests shrink on a slow link until one gets through, and grow again on a quick one", async (t) => {
  const { pace } = paced(0);
  pace.failed(true);
  t.equal(pace.requestBytes, 384 * KIB);
  for (let each = 0; each < 20; each++) pace.failed(true);
  t.equal(pace.requestBytes, 16 * KIB);
  pace.succeeded(6000);
  t.equal(pace.requestBytes, 16 * KIB, "an answer just in time");
  pace.succeeded(4000);
  t.equal(pace.requestBytes, 16 * KIB, "an answer in good time");
  t.equal(pace.allowed(4), 1, "several at once would share the slow link");
  for (let each = 0; each < 20; each++) pace.succeeded(100);
  t.equal(pace.requestBytes, 768 * KIB);
  t.equal(pace.allowed(4), 4);
});
