import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readSensorSummary } from "../../deploy/local/accounts.ts";
import { Farm } from "./farm.ts";
import { compareLedgers } from "./lake.ts";

// Half a minute on an idle machine; processes start slowly on a busy one.
t.setTimeout(280_000);

const TURBINES = 3;
const RATE = 50;
/** Readings that pass between two blows. */
const MEANWHILE = 200;

const folder = t.testdir();
const farm = await Farm.lay(folder);
t.teardown(() => farm.stop());
await farm.startCloud();
await farm.startAgent();
const ledgers: string[] = [];
let acknowledgedInAll = 0;

/** Lets sensors run through `interrupt`, then compares what they had acknowledged with what the lake has. */
async function survives(t: Test, interrupt: () => Promise<void>): Promise<void> {
  const seed = ledgers.length + 1;
  const ledger = join(folder, `ledger-${seed}.ndjson`);
  ledgers.push(ledger);
  const args = [
    `--turbines=${TURBINES}`,
    `--rate=${RATE}`,
    `--seed=${seed}`,
    `--ledger=${ledger}`,
    "--drain=60s",
  ];
  const sensors = farm.sensors(args);
  await farm.receives(MEANWHILE);
  await interrupt();
  await farm.receives(MEANWHILE);
  const { code, stdout } = await sensors.kill("SIGINT");
  t.equal(code, 0, "everything made was acknowledged in the end");
  const { made = 0, acknowledged = 0 } = readSensorSummary(stdout) ?? {};
  t.ok(made > MEANWHILE);
  t.equal(acknowledged, made);
  acknowledgedInAll += acknowledged;

  const { agent, cloud } = await farm.settled();
  t.equal(
    agent.received,
    agent.shipped + agent.rejected + agent.dropped + agent.buffered,
    "the accounts agree",
  );
  t.strictSame(
    await compareLedgers(ledgers, farm.cloudFolder),
    { acknowledged: acknowledgedInAll, missing: 0, rows: acknowledgedInAll, repeated: 0 },
    "the lake holds exactly what was acknowledged, each once",
  );
  t.equal(cloud.lakeReadings, acknowledgedInAll);
}

t.test("kill -9 of the agent loses nothing acknowledged and doubles nothing", async (t) => {
  await survives(t, async () => {
    await farm.agent?.kill("SIGKILL");
    await farm.startAgent();
    await farm.receives(MEANWHILE);
    await farm.agent?.kill("SIGKILL");
    await farm.startAgent();
  });
});

t.test("The local cloud stopped under load and started again: the same", async (t) => {
  await survives(t, async () => {
    await farm.cloud?.kill("SIGTERM");
    await farm.receives(MEANWHILE);
    await farm.startCloud();
  });
});

t.test("The local cloud killed with -9 and started again: the same", async (t) => {
  await survives(t, async () => {
    await farm.cloud?.kill("SIGKILL");
    await farm.receives(MEANWHILE);
    await farm.startCloud();
  });
});

t.test("The comparison would notice one reading that is not in the lake", async (t) => {
  const invented = join(folder, "invented.ndjson");
  const [first = ""] = readFileSync(ledgers[0] ?? "", "utf8").split("\n");
  writeFileSync(invented, `${first}\n${first.replace(/"id":"[^"]*"/, '"id":"PP_never"')}\n`);
  t.match(await compareLedgers([invented], farm.cloudFolder), { acknowledged: 2, missing: 1 });
});
