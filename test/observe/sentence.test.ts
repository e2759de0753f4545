import t, { type Test } from "tap";
import { type SentenceInputs, sentenceFor } from "../../agent/observe/sentence.ts";
import { NOON_MS } from "./sample-snapshot.ts";

const MINUTE_MS = 60_000;
const DAY_SECONDS = 86_400;

/** An agent that runs, receives 30 readings a second and ships them. */
function inputs(changes: Partial<SentenceInputs> = {}): SentenceInputs {
  return {
    phase: "running",
    startedMs: NOON_MS - 3_600_000,
    nowMs: NOON_MS,
    buffered: 30,
    dropped: 0,
    oldestBufferedSeconds: 0.7,
    buffer: { state: "storing", onFull: "refuse", usedBytes: 1_000_000, maxBytes: 2 * 1024 ** 3 },
    ship: { backoffSeconds: 0, lastSuccessMs: NOON_MS - 500 },
    flow: { receivedPerSecond: 30, shippedPerSecond: 30, lastReceivedMs: NOON_MS - 100 },
    ...changes,
  };
}

/** Kinesis refuses for twelve minutes. */
const OUTAGE: Partial<SentenceInputs> = {
  buffered: 43_120,
  oldestBufferedSeconds: 721,
  ship: {
    backoffSeconds: 12,
    lastSuccessMs: NOON_MS - 12 * MINUTE_MS,
    lastError: { code: "ship.refused", message: "connection refused", atMs: NOON_MS - 8000 },
  },
};

function said(t: Test, changes: Partial<SentenceInputs>, state: string, sentence: string) {
  t.same(sentenceFor(inputs(changes)), { state, sentence });
}

t.test("When all is well the sentence is short", async (t) => {
  said(t, {}, "delivering", "Delivering, 0 s behind.");
  said(t, { oldestBufferedSeconds: 3 }, "delivering", "Delivering, 3 s behind.");
});

t.test("A backlog being worked off says how much is left and how long it takes", async (t) => {
  const backlog = { buffered: 43_120, oldestBufferedSeconds: 7300 };
  const flow = { receivedPerSecond: 30, shippedPerSecond: 749, lastReceivedMs: NOON_MS };
  said(
    t,
    { ...backlog, flow },
    "delivering",
    "Delivering, 2 h 1 min behind: 43 120 readings to go, caught up in about 59 s.",
  );
  said(
    t,
    { ...backlog, flow: { ...flow, shippedPerSecond: 20 } },
    "delivering",
    "Delivering, 2 h 1 min behind: 43 120 readings to go.",
  );
});

t.test("An outage says since when, why, how much is safe and how long the room lasts", async (t) => {
  const usedBytes = 43_120 * 60;
  const maxBytes = usedBytes + 30 * 60 * 9.4 * DAY_SECONDS;
  said(
    t,
    { ...OUTAGE, buffer: { state: "storing", onFull: "refuse", usedBytes, maxBytes } },
    "buffering",
    "Buffering: Kinesis has taken nothing for 12 min (connection refused); 43 120 readings are safe on disk, room for about 9 days.",
  );
});

t.test("Where the cause is known in a few words, the sentence takes these", async (t) => {
  const lastError = {
    code: "ship.refused",
    message: "Nothing reaches the stream: the endpoint refuses the connection (ECONNREFUSED).",
    cause: "the endpoint refuses the connection",
    atMs: NOON_MS,
  };
  const ship = { backoffSeconds: 1, lastError };
  t.match(sentenceFor(inputs({ ...OUTAGE, ship })).sentence, /\(the endpoint refuses the connection\);/);
});

t.test("How long the room lasts is not guessed from a handful of readings or from silence", async (t) => {
  const { sentence } = sentenceFor(inputs({ ...OUTAGE, buffered: 1 }));
  t.match(sentence, /1 reading is safe on disk\.$/);
  const flow = { receivedPerSecond: 0, shippedPerSecond: 0 };
  t.match(sentenceFor(inputs({ ...OUTAGE, flow })).sentence, /43 120 readings are safe on disk\.$/);
});

t.test("An outage is no older than this process and than the readings that wait", async (t) => {
  const error = { code: "ship.dns", message: "the name can't be resolved", atMs: NOON_MS };
  const ship = { backoffSeconds: 1, lastError: error };
  const young = { startedMs: NOON_MS - 5 * MINUTE_MS, oldestBufferedSeconds: 3 * DAY_SECONDS };
  t.match(sentenceFor(inputs({ ...OUTAGE, ...young, ship })).sentence, /nothing for 5 min/);
  const quiet = { oldestBufferedSeconds: 130, ship: { ...ship, lastSuccessMs: NOON_MS - 3_600_000 } };
  t.match(sentenceFor(inputs({ ...OUTAGE, ...quiet })).sentence, /nothing for 2 min/);
});

t.test("One failed request that a retry cures is nobody's business", async (t) => {
  said(t, { ...OUTAGE, oldestBufferedSeconds: 2, buffered: 60 }, "delivering", "Delivering, 2 s behind.");
});

t.test("An error before the last success is over", async (t) => {
  const ship = {
    backoffSeconds: 0,
    lastSuccessMs: NOON_MS,
    lastError: { code: "x", message: "y", atMs: NOON_MS - 1 },
  };
  t.equal(sentenceFor(inputs({ ship, oldestBufferedSeconds: 30 })).state, "delivering");
});

t.test("A full buffer says what happens to new readings, and whose fault it is", async (t) => {
  const buffer = {
    state: "full",
    onFull: "refuse",
    usedBytes: 2 * 1024 ** 3,
    maxBytes: 2 * 1024 ** 3,
  } as const;
  said(
    t,
    { ...OUTAGE, buffer },
    "full",
    "Full: the buffer has used its 2.0 GiB; sensors keep their readings until there is room. " +
      "Kinesis has taken nothing for 12 min (connection refused).",
  );
  said(
    t,
    { buffer: { ...buffer, onFull: "drop_oldest" }, dropped: 1204 },
    "full",
    "Full: the buffer has used its 2.0 GiB; the oldest readings make room for new ones, 1 204 dropped so far.",
  );
});

t.test("A full buffer names the figures that the page shows", async (t) => {
  const buffer = { state: "full", onFull: "refuse", usedBytes: 1_032_192, maxBytes: 1024 ** 2 } as const;
  t.match(sentenceFor(inputs({ buffer })).sentence, /^Full: the buffer has used 1008 KiB of its 1\.0 MiB; /);
});

t.test("A disk that others filled is told apart from the buffer's own quota", async (t) => {
  const buffer = { ...inputs().buffer, state: "disk_full", problem: "no room left on /var" } as const;
  said(
    t,
    { buffer },
    "full",
    "Full: no room left on /var; nothing is acknowledged until there is room. 30 readings are safe on disk.",
  );
});

t.test("A disk that refuses is said before anything else", async (t) => {
  const buffer = { ...inputs().buffer, state: "failed", problem: "the disk refuses to sync (EIO)." } as const;
  said(
    t,
    { ...OUTAGE, buffer },
    "failed",
    "Failed: the disk refuses to sync (EIO); nothing is acknowledged. 43 120 readings on disk wait.",
  );
  t.match(sentenceFor(inputs({ buffered: 1, buffer })).sentence, / 1 reading on disk waits\.$/);
  said(
    t,
    { buffered: 0, buffer: { ...inputs().buffer, state: "failed" } },
    "failed",
    "Failed: the disk refuses to store readings; nothing is acknowledged.",
  );
});

t.test("Silence is told after two minutes, and at once where nothing has ever come", async (t) => {
  const still = { receivedPerSecond: 0, shippedPerSecond: 0 };
  const nothing = { buffered: 0, oldestBufferedSeconds: 0 };
  const since = (ms: number) => ({ ...nothing, flow: { ...still, lastReceivedMs: NOON_MS - ms } });
  said(t, since(119_000), "delivering", "Delivering, 0 s behind.");
  said(t, since(5 * MINUTE_MS), "idle", "Idle: no reading has arrived for 5 min.");
  const { sentence } = sentenceFor(inputs({ ...nothing, flow: still, startedMs: NOON_MS - 20_000 }));
  t.equal(sentence, "Idle: no reading has arrived since the agent started 20 s ago.");
  said(
    t,
    { ...since(5 * MINUTE_MS), buffered: 1, oldestBufferedSeconds: 1 },
    "idle",
    "Idle: no reading has arrived for 5 min. 1 reading is on the way to Kinesis.",
  );
});

t.test("Silence does not hide an outage", async (t) => {
  const flow = { receivedPerSecond: 0, shippedPerSecond: 0 };
  t.equal(sentenceFor(inputs({ ...OUTAGE, flow })).state, "buffering");
});

t.test("Starting and stopping are said as such, whatever else is the case", async (t) => {
  said(t, { ...OUTAGE, phase: "starting" }, "starting", "Starting.");
  said(t, { ...OUTAGE, phase: "stopping" }, "stopping", "Stopping: 43 120 readings are safe on disk.");
  said(t, { buffered: 0, phase: "stopping" }, "stopping", "Stopping: no reading waits.");
});

t.test("A long or many-lined cause stays one line of bearable length", async (t) => {
  const message = `first\n   second\t${"x".repeat(500)}`;
  const ship = { backoffSeconds: 1, lastError: { code: "x", message, atMs: NOON_MS } };
  const { sentence } = sentenceFor(inputs({ ...OUTAGE, ship }));
  t.match(sentence, /\(first second x+…\)/);
  t.ok(sentence.length < 300);
});
