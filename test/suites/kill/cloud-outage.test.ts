/** The local cloud away for a minute under load, stopped and killed: the buffer fills, drains, and nothing is missing. */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { readSensorSummary } from "../../../deploy/local/accounts.ts";
import { Farm } from "../../e2e/farm.ts";
import { compareLedgers } from "../../e2e/lake.ts";

const OUTAGE_MS = Number(process.env.OUTAGE_SECONDS ?? 60) * 1000;
const RATE = Number(process.env.RATE ?? 1_000);
const TURBINES = 3;

for (const signal of ["SIGTERM", "SIGKILL"] as const) {
  t.test(
    `${OUTAGE_MS / 1000} s without the cloud, ended by ${signal}, at ${RATE} readings a second`,
    async (t) => {
      const folder = t.testdir();
      const farm = await Farm.lay(folder);
      t.teardown(() => farm.stop());
      await farm.startCloud();
      await farm.startAgent();
      const ledger = join(folder, "ledger.ndjson");
      const rate = RATE / TURBINES / 3;
      const sensors = farm.sensors([`--turbines=${TURBINES}`, `--rate=${rate}`, `--ledger=${ledger}`]);
      await farm.receives(RATE * 3);
      await farm.cloud?.kill(signal);
      await sleep(OUTAGE_MS);
      const away = await farm.observer.agent();
      t.ok(
        (away?.buffered ?? 0) > (RATE * OUTAGE_MS) / 2000,
        `${away?.buffered} buffered meanwhile: ${away?.sentence}`,
      );
      await farm.startCloud();
      await farm.receives(RATE * 3);
      const { code, stdout } = await sensors.kill("SIGINT");
      t.equal(code, 0);
      const made = readSensorSummary(stdout)?.made;
      await farm.settled();
      const found = await compareLedgers([ledger], farm.cloudFolder);
      t.strictSame(found, { acknowledged: made, missing: 0, rows: made, repeated: 0 });
    },
  );
}
