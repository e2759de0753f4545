import t from "tap";
import type { Status } from "../../agent/cli/status-client.ts";
import { statusText } from "../../agent/cli/status-text.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

const delivering: Status = {
  gateway: "gw-01",
  site: "demo",
  version: "0.1.0",
  startedMs: NOW - 3 * 3_600_000,
  nowMs: NOW,
  epoch: "t8k2q1",
  state: "delivering",
  sentence: "Delivering, 0 s behind.",
  received: 48_213,
  buffered: 0,
  shipped: 48_213,
  rejected: 0,
  dropped: 0,
  oldestBufferedSeconds: 0,
  collect: {
    mode: "listen",
    url: "mqtt://127.0.0.1:1883",
    ready: true,
    connections: 1,
    closedConnections: {},
  },
  validate: { outOfRange: {}, rejected: {} },
  buffer: { state: "storing", usedBytes: 2 ** 20, maxBytes: 2 ** 31, rejectsKept: 0, recovered: [] },
  ship: { stream: "windfarm-readings", region: "eu-west-1", backoffSeconds: 0, lastSuccessMs: NOW - 2_000 },
  health: { rssBytes: 7e7 },
};

t.test("all is well in ten lines", async (t) => {
  t.equal(
    statusText(delivering),
    [
      "Delivering, 0 s behind.",
      "",
      "  gateway   gw-01 (demo), windfarm 0.1.0, up 3 h",
      "  received  48 213",
      "  buffered  0",
      "  shipped   48 213",
      "  rejected  0",
      "  dropped   0",
      "  from      mqtt://127.0.0.1:1883, 1 connection",
      "  buffer    storing, 1.0 MiB of 2.0 GiB",
      "  to        windfarm-readings (eu-west-1), last accepted 2 s ago",
      "",
    ].join("\n"),
  );
});

t.test("trouble comes with what to try", async (t) => {
  const text = statusText({
    ...delivering,
    buffered: 3,
    rejected: 2,
    oldestBufferedSeconds: 90,
    collect: { ...delivering.collect, ready: false },
    buffer: {
      ...delivering.buffer,
      state: "disk_full",
      problem: "The disk has no room left.",
      rejectsKept: 1,
      recovered: ["The buffer was damaged; 12 readings were saved."],
    },
    ship: {
      ...delivering.ship,
      backoffSeconds: 4.2,
      lastError: {
        code: "ship.refused",
        message: "Kinesis refuses the connection",
        hint: "look for a firewall",
        atMs: NOW - 1_000,
      },
    },
  });
  for (const line of [
    "  buffered    3, the oldest for 90 s",
    "  rejected    2, 1 kept aside: windfarm rejects",
    "  from        mqtt://127.0.0.1:1883, 1 connection, not ready",
    "  buffer      disk full, 1.0 MiB of 2.0 GiB",
    "  problem     The disk has no room left.",
    "  last error  Kinesis refuses the connection (1 s ago)",
    "  try         look for a firewall",
    "  next try    in 5 s",
    "  damage      The buffer was damaged; 12 readings were saved.",
  ]) {
    t.ok(text.split("\n").includes(line), line);
  }
});

t.test("why messages were not understood is said in words", async (t) => {
  const text = statusText({
    ...delivering,
    rejected: 7,
    validate: { outOfRange: {}, rejected: { topic: 2, not_json: 1 } },
  });
  t.match(
    text,
    "\n  rejected  7, 0 kept aside: windfarm rejects\n            since the start: 2 wrong topic, 1 not JSON\n",
  );
});

t.test("an error that shipping has overcome is not shown", async (t) => {
  const lastError = { code: "ship.refused", message: "Kinesis refuses the connection", atMs: NOW - 60_000 };
  t.notMatch(statusText({ ...delivering, ship: { ...delivering.ship, lastError } }), /refuses/);
});
