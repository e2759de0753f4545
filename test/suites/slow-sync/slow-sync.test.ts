/** Every sync takes 200 ms, as on a worn card: that slows acknowledgements, and nothing else. */

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import t, { type Test } from "tap";
import { z } from "zod";
import { AgentProcess } from "../../helpers/agent-process.ts";
import { ROOT } from "../../helpers/program.ts";

const SYNC_MS = 200;
const LINGER_MS = 500;
/** What the machine itself may add to a PUBACK. */
const SLACK_MS = 100;
const skip = spawnSync("gcc", ["--version"]).error === undefined ? false : "gcc is not installed";

const Load = z.object({
  acknowledged: z.number(),
  seconds: z.number(),
  latencyMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }).optional(),
});

/** An agent whose syncs are slow. Nobody listens where it ships. */
async function slowAgent(t: Test): Promise<AgentProcess> {
  const folder = t.testdir();
  const library = join(folder, "slow-sync.so");
  const source = join(import.meta.dirname, "slow-sync.c");
  const built = spawnSync("gcc", ["-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], {
    encoding: "utf8",
  });
  t.equal(built.status, 0, built.stderr);
  const agent = await AgentProcess.start({
    folder,
    endpoint: "http://127.0.0.1:9",
    buffer: "ballast: 0B",
    env: { LD_PRELOAD: library, SLOW_SYNC_MS: String(SYNC_MS) },
  });
  t.teardown(() => agent.stop());
  return agent;
}

async function load(plan: object): Promise<z.infer<typeof Load>> {
  const child = spawn(process.execPath, [join(ROOT, "dist/bench-load.js"), JSON.stringify(plan)], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_OPTIONS: "" },
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  return Load.parse(JSON.parse(line));
}

/** How long /healthz took, again and again until `isOver`, ascending, ms. */
async function healthTimes(agent: AgentProcess, isOver: () => boolean): Promise<number[]> {
  const times: number[] = [];
  while (!isOver()) {
    const started = performance.now();
    t.equal(await agent.healthCode(), 200);
    times.push(performance.now() - started);
    await pause(10);
  }
  return times.sort((a, b) => a - b);
}

const at = (times: number[], share: number) => times[Math.floor(times.length * share)] ?? 0;

t.test(
  "nine readings a second: the page answers at once, PUBACK within the linger and two syncs",
  { skip },
  async (t) => {
    const agent = await slowAgent(t);
    let over = false;
    const [times, { latencyMs }] = await Promise.all([
      healthTimes(agent, () => over),
      load({ port: agent.port, connections: 9, window: 100, bytes: 0, perSecond: 9, seconds: 20 }).finally(
        () => {
          over = true;
        },
      ),
    ]);
    t.comment(
      `/healthz p50 ${at(times, 0.5)}, p99 ${at(times, 0.99)} ms; PUBACK ${JSON.stringify(latencyMs)}`,
    );
    t.ok(at(times, 0.99) < 30, "/healthz p99");
    t.ok((latencyMs?.max ?? Number.NaN) < LINGER_MS + 2 * SYNC_MS + SLACK_MS, "every PUBACK");
  },
);

t.test("twenty clients with windows of a thousand get 35 000 acknowledged a second", { skip }, async (t) => {
  const agent = await slowAgent(t);
  let over = false;
  const [times, { acknowledged, seconds }] = await Promise.all([
    healthTimes(agent, () => over),
    load({ port: agent.port, connections: 20, window: 1000, bytes: 0, seconds: 10 }).finally(() => {
      over = true;
    }),
  ]);
  t.comment(
    `${Math.round(acknowledged / seconds)}/s; /healthz p50 ${at(times, 0.5)}, p99 ${at(times, 0.99)} ms`,
  );
  t.ok(acknowledged / seconds >= 35_000);
});
