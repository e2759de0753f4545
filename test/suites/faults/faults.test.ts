/**
 * A bad link to a bad stream for minutes: a tenth of the records fail, requests are throttled, answers are lost, and once a
 * minute nobody is there at all. MINUTES (10) and RATE (2000 readings a second) change the size; SEED repeats a run's faults.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { parseDocument } from "yaml";
import { readSensorSummary } from "../../../deploy/local/accounts.ts";
import { Random } from "../../../simulators/random.ts";
import { Farm } from "../../e2e/farm.ts";
import { compareLedgers } from "../../e2e/lake.ts";
import { Program } from "../../helpers/program.ts";
import { Injector } from "./injector.ts";

const MINUTES = Number(process.env.MINUTES ?? 10);
const RATE = Number(process.env.RATE ?? 2_000);
const SEED = Number(process.env.SEED ?? Date.now());
const TURBINES = 5;
const OUTAGE_SECONDS = 20;
const FAULTS = { records: 0.1, throttled: 0.05, lost: 0.05 };

t.test(`${MINUTES} minutes of faults at ${RATE} readings a second`, { timeout: 3_600_000 }, async (t) => {
  t.comment(`SEED=${SEED}`);
  const folder = t.testdir();
  const farm = await Farm.lay(folder);
  t.teardown(() => farm.stop());
  await farm.startCloud();
  const file = join(folder, "agent.config.yaml");
  const config = parseDocument(readFileSync(file, "utf8"));
  const injector = new Injector(
    String(config.getIn(["kinesis", "endpoint"])),
    FAULTS,
    new Random(SEED, "faults"),
  );
  await injector.start();
  t.teardown(() => injector.stop());
  config.setIn(["kinesis", "endpoint"], injector.endpoint);
  writeFileSync(file, config.toString());
  await farm.startAgent();
  const ledger = join(folder, "ledger.ndjson");
  const rate = RATE / TURBINES / 3;
  const sensors = farm.sensors([
    `--turbines=${TURBINES}`,
    `--rate=${rate}`,
    `--ledger=${ledger}`,
    "--drain=5m",
  ]);

  const buffered = async () => (await farm.observer.agent())?.buffered ?? Number.NaN;
  let most = 0;
  let leastAfterOutage = 0;
  for (let minute = 1; minute <= MINUTES; minute++) {
    await sleep(10_000);
    await injector.stop();
    await sleep(OUTAGE_SECONDS * 1000);
    most = Math.max(most, await buffered());
    await injector.start();
    await sleep((50 - OUTAGE_SECONDS) * 1000);
    const left = await buffered();
    leastAfterOutage = Math.max(leastAfterOutage, left);
    t.comment(
      `minute ${minute}: at most ${most} buffered, ${left} at its end; ${JSON.stringify(injector.count)}`,
    );
  }
  const { code, stdout } = await sensors.kill("SIGINT");
  const made = readSensorSummary(stdout)?.made ?? 0;
  t.equal(code, 0, "everything made was acknowledged in the end");
  t.ok(made > MINUTES * 60 * RATE * 0.8, `${made} made`);
  t.ok(most > RATE * OUTAGE_SECONDS * 0.8, `an outage was one: ${most} buffered`);
  t.ok(most < RATE * (OUTAGE_SECONDS + 15), `${most} buffered at most: the backlog of one outage`);
  t.ok(leastAfterOutage < RATE * 10, `${leastAfterOutage} buffered at the end of a minute, at most`);
  await farm.settled();
  const found = await compareLedgers([ledger], farm.cloudFolder);
  t.strictSame(found, { acknowledged: made, missing: 0, rows: made, repeated: 0 });
  const audit = await new Program("audit", ["--json", "--data", farm.cloudFolder]).ended;
  t.equal(audit.code, 0, audit.stdout);
  t.comment(audit.stdout);
});
