/**
 * Everything hostile at the real agent, while a sensor that behaves goes on publishing: every reading of that one is
 * acknowledged, its connection stays, memory never rises by 60 MB, and why connections were closed can be read in the
 * metrics. SEED repeats a run's mutations.
 */

import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { Random } from "../../../simulators/random.ts";
import { AgentProcess } from "../../helpers/agent-process.ts";
import { startKinesisStub } from "../../helpers/kinesis-stub.ts";
import { WireSensor } from "../../helpers/wire-sensor.ts";
import * as attacks from "./attacks.ts";

const MAX_RISE_BYTES = 60e6;
const MUTANTS = Number(process.env.MUTANTS ?? 100_000);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const WARM_UP_READINGS = 300_000;
const READING = JSON.stringify({
  id: "M1",
  data: 0.97,
  type: "Power Factor",
  date: "2026-11-22T12:00:00.000Z",
});
const WORKERS = 32;
const MB = 1e6;

const stub = await startKinesisStub({ keep: false });
t.teardown(() => stub.outage());
const agent = await AgentProcess.start({
  folder: t.testdir(),
  mqtt: "connect_timeout: 3s",
  endpoint: stub.endpoint,
});
t.teardown(() => agent.stop());

/** The agent's memory when it has calmed down, with what the attackers published shipped: the least of some seconds. */
async function settledRss(): Promise<number> {
  await agent.until(({ buffer, buffered }) => buffer.pending < 100 && buffered < 1000);
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 8; i++) {
    await pause(500);
    least = Math.min(least, agent.rss());
  }
  return least;
}

/** Ordinary load first: what the program takes when it works is not the attackers' doing. */
async function warmUp(): Promise<void> {
  await attacks.load(agent.port, "warm", READING, WARM_UP_READINGS);
  await attacks.strangers(agent.port, 200);
  await attacks.mutants(agent.port, 500, new Random(1));
  await agent.metrics();
}

await warmUp();
const baseline = await settledRss();
let peak = baseline;
const watch = setInterval(() => {
  if (agent.running) peak = Math.max(peak, agent.rss());
}, 100);
t.teardown(() => clearInterval(watch));
t.comment(`SEED=${SEED}; baseline ${Math.round(baseline / MB)} MB`);

const sensor = await WireSensor.open(agent.port, { name: "good", window: 1000, everyMs: 10 });
sensor.start();

const rise = async () => (await settledRss()) - baseline;

/** Runs an attack, and looks at the agent, its memory and the good client after it. */
function attack(title: string, run: (signal: AbortSignal) => Promise<string | undefined>): void {
  t.test(title, async (t) => {
    const stop = new AbortController();
    const said = await run(stop.signal);
    stop.abort();
    const before = sensor.acknowledged.size;
    await sensor.until(() => sensor.acknowledged.size >= before + 20);
    const risen = await rise();
    t.ok(agent.running, "the agent lives");
    t.notOk(sensor.dropped, "the good client's connection stays");
    const most = peak - baseline;
    t.ok(most < MAX_RISE_BYTES, `memory rose by ${(most / MB).toFixed(1)} MB at most`);
    const { received, buffered, shipped, rejected, dropped } = await agent.status();
    t.equal(received, buffered + shipped + rejected + dropped, "the accounts balance");
    t.comment(
      `${said ?? "done"}; rss +${(risen / MB).toFixed(1)} MB afterwards, slowest PUBACK so far ${Math.round(sensor.slowestMs)} ms`,
    );
  });
}

const times = <T>(count: number, each: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => each(index)));

attack("256 MiB before and after CONNECT", async () => {
  for (let i = 0; i < 20; i++) await times(2, (side) => attacks.giant(agent.port, side === 1));
  return undefined;
});

attack("2 000 idle sockets", async () => {
  const sockets = await attacks.idle(agent.port, 2000);
  const { collect } = await agent.status();
  for (const socket of sockets) socket.destroy();
  return `${collect.connections} of them held`;
});

attack("one byte a second, within CONNECT and within large readings", async (signal) => {
  const stop = new AbortController();
  const dribbling = attacks.dribble(agent.port, 100, stop.signal);
  await agent.until(({ collect }) => (collect.closedConnections.packet_timeout ?? 0) > 0 || signal.aborted);
  const { collect } = await agent.status();
  stop.abort();
  await dribbling;
  return JSON.stringify(collect.closedConnections);
});

attack("clients that never read: readings, pings, releases, subscriptions", async () => {
  const stop = new AbortController();
  const pings = Buffer.from(Array.from({ length: 32_768 }, () => [0xc0, 0]).flat());
  const releases = Buffer.from(Array.from({ length: 16_384 }, () => [0x62, 2, 0, 1]).flat());
  const floods = { readings: attacks.burst(READING), pings, releases };
  const all = [
    ...Object.entries(floods).map(([what, bytes]) =>
      attacks.deaf(agent.port, `deaf-${what}`, bytes, stop.signal),
    ),
    ...[0, 1].map((n) => attacks.deafSubscriber(agent.port, `deaf-subscriber-${n}`, stop.signal)),
  ];
  await agent.until(
    ({ collect }) => (collect.closedConnections.not_reading ?? 0) >= Object.keys(floods).length,
  );
  stop.abort();
  await Promise.all(all);
  return undefined;
});

attack(`${MUTANTS} mutated packets`, async () => {
  const connections = await times(WORKERS, (worker) =>
    attacks.mutants(agent.port, Math.ceil(MUTANTS / WORKERS), new Random(SEED, String(worker))),
  );
  return `on ${connections.reduce((sum, count) => sum + count, 0)} connections`;
});

attack("thousands of topics and client ids, with wills", async () => {
  await times(2, () => attacks.topics(agent.port, 5000));
  await attacks.strangers(agent.port, 3000);
  return undefined;
});

t.test("The good client noticed nothing", async (t) => {
  await sensor.settled();
  t.equal(sensor.acknowledged.size, sensor.sent, `all ${sensor.sent} readings are acknowledged`);
  t.notOk(sensor.dropped);
  t.comment(`slowest PUBACK ${Math.round(sensor.slowestMs)} ms`);
  sensor.close();
});

t.test("Why connections were closed can be read in the metrics", async (t) => {
  for (const reason of [
    "packet_too_large",
    "too_many_connections",
    "connect_timeout",
    "packet_timeout",
    "not_reading",
    "malformed",
  ]) {
    const count = await agent.metric(`windfarm_collect_connections_closed_total{reason="${reason}"}`);
    t.ok((count ?? 0) > 0, `${reason}: ${count}`);
  }
  const losses = agent.log.filter(({ level }) => level === "error" || level === "fatal");
  t.strictSame(losses, [], "no error was logged");
});
