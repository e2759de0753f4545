/**
 * kill -9 of the agent at random moments under load, again and again: every acknowledged reading is in the lake, once.
 * KILLS (200) and RATE (5000 readings a second) change the size; SEED repeats a run's moments.
 */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { readSensorSummary } from "../../../deploy/local/accounts.ts";
import { Random } from "../../../simulators/random.ts";
import { Farm } from "../../e2e/farm.ts";
import { compareLedgers } from "../../e2e/lake.ts";

const KILLS = Number(process.env.KILLS ?? 200);
const RATE = Number(process.env.RATE ?? 5_000);
const SEED = Number(process.env.SEED ?? Date.now());
const TURBINES = 5;
/** Of the kills, so many hit an agent that is starting; the others one that is receiving. */
const STARTING = 0.15;
const LONGEST_START_MS = 1_500;
const LONGEST_LIFE_MS = 1_000;

t.test(`${KILLS} kills of the agent under ${RATE} readings a second`, async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = new Random(SEED, "kills");
  const folder = t.testdir();
  const farm = await Farm.lay(folder);
  t.teardown(() => farm.stop());
  await farm.startCloud();
  await farm.startAgent();
  const ledger = join(folder, "ledger.ndjson");
  const rate = RATE / TURBINES / 3;
  const sensors = farm.sensors([
    `--turbines=${TURBINES}`,
    `--rate=${rate}`,
    `--ledger=${ledger}`,
    "--drain=5m",
  ]);
  await farm.receives(RATE);

  let underLoad = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    await farm.agent?.kill("SIGKILL");
    farm.launchAgent();
    if (random.chance(STARTING)) {
      await sleep(random.between(0, LONGEST_START_MS));
      continue;
    }
    await farm.agentReady();
    await farm.receives(1);
    await sleep(random.between(0, LONGEST_LIFE_MS));
    underLoad++;
    if (kill % 20 === 0)
      t.comment(`${kill} kills, ${(await farm.observer.agent())?.received ?? "?"} received`);
  }
  await farm.agentReady();
  await farm.receives(RATE);

  const { code, stdout } = await sensors.kill("SIGINT");
  const summary = readSensorSummary(stdout);
  t.equal(code, 0, "everything made was acknowledged in the end");
  const { agent } = await farm.settled();
  const found = await compareLedgers([ledger], farm.cloudFolder);
  t.comment(
    `made ${summary?.made}, sent ${summary?.published}, received ${agent.received}, in the lake ${found.rows}`,
  );
  t.equal(
    agent.received,
    agent.shipped + agent.rejected + agent.dropped + agent.buffered,
    "the accounts agree",
  );
  t.ok(
    underLoad > KILLS / 2 && (summary?.published ?? 0) > (summary?.made ?? 0),
    "the kills hit a running agent",
  );
  t.strictSame(found, { acknowledged: summary?.made, missing: 0, rows: summary?.made, repeated: 0 });
});
