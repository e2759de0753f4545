/** The embedded broker in the test's own process, with an intake and a clock in the test's hands. */

import pino from "pino";
import type { Test } from "tap";
import { EmbeddedBroker } from "../../agent/collect/broker.ts";
import type { BrokerSettings } from "../../agent/collect/broker-settings.ts";
import { HeldIntake } from "./intakes.ts";

export interface RunningBroker {
  broker: EmbeddedBroker;
  intake: HeldIntake;
  port: number;
  /** Moves the broker's clock. */
  clock: { ms: number };
  /** What was logged, from the level asked for up. */
  log: object[];
}

/** Listens on a free port until the test's end. */
export async function startBroker(
  t: Test,
  settings: Partial<BrokerSettings> = {},
  storesAtOnce = false,
  level: pino.Level = "warn",
): Promise<RunningBroker> {
  const intake = new HeldIntake(storesAtOnce);
  const clock = { ms: 1_000_000 };
  const log: object[] = [];
  const broker = new EmbeddedBroker(
    {
      host: "127.0.0.1",
      port: 0,
      maxPacketBytes: 65_536,
      maxConnections: 100,
      connectTimeoutMs: 10_000,
      ...settings,
    },
    {
      intake,
      log: pino({ level }, { write: (line) => log.push(JSON.parse(line)) }),
      now: () => clock.ms,
    },
  );
  await broker.start();
  t.teardown(() => broker.stop(0));
  return { broker, intake, log, port: Number(new URL(broker.url).port), clock };
}
