/**
 * Hostile logins, wills, readings and watchers at the real agent with users, while half of its thread pool hangs as in name
 * look-ups of a dead link. All the while a sensor with a password is served, and comes back at once when it is thrown out; memory
 * stays within bounds, and the process lives. SECONDS_EACH sets how long each attack goes on.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { hashPassword } from "../../../agent/collect/passwords.ts";
import { AgentProcess } from "../../helpers/agent-process.ts";
import { startKinesisStub } from "../../helpers/kinesis-stub.ts";
import { forkGoodSensor } from "./good-sensor.ts";
import * as strangers from "./strangers.ts";

const MAX_RISE_BYTES = 60e6;
const LASTING_RISE_BYTES = 20e6;
const SETTLE_MS = 60_000;
const MAX_P99_MS = 2000;
const MAX_RETURN_MS = 2000;
const SECONDS = Number(process.env.SECONDS_EACH ?? 15);
const WATCHERS = 200;
const MB = 1e6;

const secret = await hashPassword("secret");
const folder = t.testdir();
writeFileSync(
  join(folder, "users"),
  [
    "users:",
    `  - { name: good, password: ${secret}, publish: [windfarm/T07/+] }`,
    `  - { name: t07, password: ${secret}, publish: [windfarm/T07/+] }`,
    `  - { name: panel, password: ${secret}, subscribe: [windfarm/#] }`,
  ].join("\n"),
);
const stub = await startKinesisStub({ keep: false });
t.teardown(() => stub.outage());
const agent = await AgentProcess.start({
  folder,
  mqtt: `connect_timeout: 10s, max_connections: 400, users_file: ${join(folder, "users")}`,
  buffer: "commit_linger: 0ms",
  endpoint: stub.endpoint,
  preload: [join(import.meta.dirname, "hold-threads.cjs")],
});
t.teardown(() => agent.stop());
const sensor = await forkGoodSensor(agent.port, "good");
t.teardown(() => sensor.stop());

/** Ordinary work first: what the program takes for it is not the attackers' doing. */
async function warmUp(): Promise<number> {
  const stop = new AbortController();
  const work = strangers.publishAll(
    agent.port,
    Buffer.from('{"id":"w","data":1,"date":"2026-11-22"}'),
    stop.signal,
  );
  await pause(3000);
  stop.abort();
  await work;
  let least = agent.rss();
  for (let i = 0; i < 10; i++) {
    await pause(500);
    least = Math.min(least, agent.rss());
  }
  return least;
}

const baseline = await warmUp();
t.comment(`baseline ${Math.round(baseline / MB)} MB`);

function attack(title: string, run: (signal: AbortSignal) => Promise<unknown>): void {
  t.test(title, async (t) => {
    const stop = new AbortController();
    let peak = agent.rss();
    const watch = setInterval(() => {
      if (agent.running) peak = Math.max(peak, agent.rss());
    }, 50);
    const service = sensor.serve(stop.signal);
    const attacking = run(stop.signal);
    await Promise.race([pause(SECONDS * 1000), service]);
    stop.abort();
    const [{ p99Ms, readings, slowestReturnMs }, said] = await Promise.all([service, attacking]);
    clearInterval(watch);
    t.ok(agent.running, "the agent lives");
    t.ok(p99Ms < MAX_P99_MS, `${readings} readings of the good sensor, PUBACK p99 ${Math.round(p99Ms)} ms`);
    t.ok(
      slowestReturnMs < MAX_RETURN_MS,
      `thrown out, it was in again after ${Math.round(slowestReturnMs)} ms at most`,
    );
    t.ok(
      peak - baseline < MAX_RISE_BYTES,
      `memory rose by ${((peak - baseline) / MB).toFixed(1)} MB at most`,
    );
    const started = performance.now();
    while (agent.rss() - baseline > LASTING_RISE_BYTES && performance.now() - started < SETTLE_MS)
      await pause(500);
    const rest = agent.rss() - baseline;
    t.ok(
      rest < LASTING_RISE_BYTES,
      `${(rest / MB).toFixed(1)} MB of it are left after ${Math.round((performance.now() - started) / 1000)} s`,
    );
    t.comment(JSON.stringify(said), JSON.stringify((await agent.status()).collect.closedConnections));
  });
}

const flood = { port: agent.port, username: "nobody", passwordBytes: 44, addresses: 1 };
attack("a login flood from one address, with passwords of 60 KB", (signal) =>
  strangers.floodLogins({ ...flood, perSecond: 455, passwordBytes: 60_000 }, signal),
);
attack("a login flood from one address, small", (signal) =>
  strangers.floodLogins({ ...flood, perSecond: 300 }, signal),
);
attack("a login flood from many addresses, at a user that exists", (signal) =>
  strangers.floodLogins({ ...flood, perSecond: 300, username: "t07", addresses: 200 }, signal),
);
attack("wills on topics that are none, and others'", async (signal) => {
  while (!signal.aborted) await strangers.wills(agent.port, 50);
});
attack("64 KB of digits as a number", (signal) => {
  const digits = `{"id":"a","data":"${"1".repeat(65_000)}x","date":"2026-11-22"}`;
  return strangers.publishAll(agent.port, Buffer.from(digits), signal);
});
attack(`${WATCHERS} watchers that read a little now and then`, async (signal) => {
  // One after the other: of a crowd that logs in at once from one address some would be turned away.
  const readers: (() => Promise<void>)[] = [];
  for (let n = 0; n < WATCHERS; n++)
    readers.push(await strangers.slowWatcher(agent.port, `slow-${n}`, 20_000, signal));
  const watching = readers.map((read) => read());
  const id = "x".repeat(400);
  const reading = `{"id":"${id}","data":1,"date":"2026-11-22T12:00:00.000Z"${" ".repeat(50_000)}}`;
  const published = await strangers.publishAll(agent.port, Buffer.from(reading), signal);
  await Promise.all(watching);
  return published;
});

t.test("what was attacked can be read in metrics and log", async (t) => {
  for (const reason of ["refused_login", "bad_will"]) {
    const count = await agent.metric(`windfarm_collect_connections_closed_total{reason="${reason}"}`);
    t.ok((count ?? 0) > 0, `${reason}: ${count}`);
  }
  t.ok(agent.log.some(({ msg }) => /logins? refused from 127\.0\.1\.1/.test(msg)));
  t.strictSame(
    agent.log.filter(({ level }) => level === "error" || level === "fatal"),
    [],
  );
});
