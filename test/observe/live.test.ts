import t from "tap";
import { LastProblems } from "../../agent/observe/last-problems.ts";
import {
  LastSeen,
  MAX_WATCHED_TURBINES,
  REFUSED_BYTES,
  REFUSED_PER_REASON,
} from "../../agent/validate/last-seen.ts";
import { liveOf } from "./sample-live.ts";
import { NOON_MS } from "./sample-snapshot.ts";

t.test("A trail has one value for each second that brought a reading, the latest of it", async (t) => {
  const seen = new LastSeen();
  const live = liveOf(seen);
  for (const data of [0.1, 0.2, 0.3]) seen.take("T01", "Power Factor", data, true);
  live.sample();
  live.sample();
  seen.take("T01", "Power Factor", 0.9, true);
  live.sample();
  t.strictSame(live.view().turbines[0]?.sensors["Power Factor"]?.trail, [0.3, 0.9]);
});

t.test("A reading out of range is marked, even if another one came within the same second", async (t) => {
  const seen = new LastSeen();
  const live = liveOf(seen);
  seen.take("T01", "Hydraulic Pressure", 76, true);
  live.sample();
  seen.take("T01", "Hydraulic Pressure", 900, false);
  seen.take("T01", "Hydraulic Pressure", 77, true);
  live.sample();
  t.match(live.view().turbines, [
    { name: "T01", sensors: { "Hydraulic Pressure": { data: 77, outside: 1, trail: [76, 77], marks: [1] } } },
  ]);
});

t.test("Trails are bounded, and so are their marks", async (t) => {
  const seen = new LastSeen();
  const live = liveOf(seen);
  for (let second = 0; second < 200; second++) {
    seen.take("T01", "Power Factor", second, second !== 150);
    live.sample();
  }
  const sensor = live.view().turbines[0]?.sensors["Power Factor"];
  t.equal(sensor?.trail.length, 60);
  t.equal(sensor?.trail[sensor.marks[0] ?? -1], 150);
});

t.test("Turbines come in the order people count in, and only so many", async (t) => {
  const seen = new LastSeen();
  const live = liveOf(seen);
  for (const name of ["T10", "T2", "T1"]) seen.take(name, "Power Factor", 1, true);
  t.strictSame(
    live.view().turbines.map(({ name }) => name),
    ["T1", "T2", "T10"],
  );
  t.equal(live.view().more, false);
  for (let i = 0; i < 3000; i++) seen.take(`X${i}`, "Power Factor", 1, true);
  t.equal(seen.turbines.size, MAX_WATCHED_TURBINES);
  t.equal(live.view().more, true);
  seen.take("T1", "Power Factor", 0.5, true);
  t.equal(live.view().turbines.find(({ name }) => name === "T1")?.sensors["Power Factor"]?.data, 0.5);
});

t.test("A large farm's answer stays small", async (t) => {
  const seen = new LastSeen();
  const live = liveOf(seen);
  for (let second = 0; second < 60; second++) {
    for (let i = 0; i < 1000; i++) {
      for (const type of ["Power Factor", "Temperature Battery", "Hydraulic Pressure"] as const)
        seen.take(`T${i}`, type, 76.25 + second, true);
    }
    live.sample();
  }
  t.ok(JSON.stringify(live.view()).length < 1.2e6);
});

t.test(
  "Of each reason the last few refused messages are kept, cut short, in the order they came",
  async (t) => {
    let nowMs = NOON_MS;
    const seen = new LastSeen();
    const live = liveOf(seen, () => nowMs);
    const payload = Buffer.from("\u001b[31m".padEnd(1000, "x"));
    for (let i = 0; i < 9; i++) {
      seen.refuse({ reason: "not_json", detail: `number ${i}` }, "windfarm/T01/power-factor", payload);
    }
    live.sample();
    nowMs += 5000;
    seen.refuse({ reason: "topic", detail: "the topic doesn't fit" }, "a\u0000b", payload);
    payload.fill(0);
    const { refused } = live.view();
    t.equal(refused.length, REFUSED_PER_REASON + 1);
    t.match(refused[0], { reason: "topic", topic: "a\\x00b", bytes: 1000, atMs: NOON_MS + 5000 });
    t.match(refused[1], { detail: "number 8", atMs: NOON_MS });
    t.equal(refused[1]?.payload, `\\x1b[31m${"x".repeat(REFUSED_BYTES - 5)}`, "a copy, and printable");
  },
);

t.test("The last problems are told newest first, the same one once with how often", async (t) => {
  const problems = new LastProblems();
  const fault = { code: "status.port_taken", message: "the port is taken", hint: "Set another one." };
  problems.add(1, "error", { err: fault }, "no status page");
  problems.add(2, "warn", { code: "ship.dns", hint: "Check DNS." }, "the name can't be resolved");
  problems.add(3, "error", { err: fault }, "no status page");
  t.strictSame(problems.all, [
    {
      atMs: 3,
      level: "error",
      message: "no status page: the port is taken",
      times: 2,
      code: "status.port_taken",
      hint: "Set another one.",
    },
    {
      atMs: 2,
      level: "warn",
      message: "the name can't be resolved",
      times: 1,
      code: "ship.dns",
      hint: "Check DNS.",
    },
  ]);
  for (let i = 0; i < 50; i++) problems.add(i, "warn", {}, `another ${i}`);
  t.ok(problems.all.length <= 8);
});
