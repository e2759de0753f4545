/** `npm run simulate`: the sensors of a wind farm. What happens goes to stderr, the summary to stdout. */

import { randomBytes } from "node:crypto";
import { countOf } from "../agent/common/format.ts";
import { codeOf, EXIT, Fault, messageOf } from "../agent/errors.ts";
import { type Clock, Fleet, type Summary } from "./fleet.ts";
import { Ledger } from "./ledger.ts";
import { assertUsable, parseOptions, type SimulateOptions } from "./options.ts";
import { contractForm, legacyForm } from "./payload.ts";
import { Turbine } from "./turbine.ts";

const DEFAULT_START_HOUR = 8;
const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };

function makeTurbines(options: SimulateOptions): Turbine[] {
  const { rate, history, past, seed, faults, topicPrefix } = options;
  const stepSeconds = (history?.stepMs ?? past?.stepMs ?? 1000 / rate) / 1000;
  const startHour = startHourOf(options);
  const form = options.legacy ? legacyForm : contractForm;
  return Array.from({ length: options.turbines }, (_, index) => {
    const name = `T${String(index + 1).padStart(2, "0")}`;
    return new Turbine({ name, seed, stepSeconds, startHour, topicPrefix, form, faults });
  });
}

/** Model time of day of the first reading: that of its date, or always the same, for the same values at every start. */
function startHourOf({ history, past }: SimulateOptions): number {
  const fromMs = history?.fromMs ?? (past && clock.now() - past.count * past.stepMs);
  if (fromMs === undefined) return DEFAULT_START_HOUR;
  return (((fromMs / HOUR_MS) % DAY_HOURS) + DAY_HOURS) % DAY_HOURS;
}

function reportReach(broker: string, once: boolean): (reached: boolean, detail: string) => void {
  const next = once ? "giving up (--once)" : "the sensors keep their readings and try again";
  return (reached, detail) => {
    const line = reached
      ? `connected to ${broker}: turbines ${detail}`
      : `can't reach ${broker}: ${detail}; ${next}`;
    console.error(`simulate: ${line}`);
  };
}

async function simulate(options: SimulateOptions): Promise<number> {
  assertUsable(options.access);
  const ledger = options.ledger === undefined ? undefined : await Ledger.open(options.ledger);
  const stop = new AbortController();
  void ledger?.broken.then(() => stop.abort());
  const report = reportReach(options.broker, options.once);
  const { broker: url, access, outboxMessages } = options;
  const fleet = new Fleet(
    makeTurbines(options),
    {
      ...options,
      connection: { url, access, outboxMessages },
      clientPrefix: `sensors-${randomBytes(3).toString("hex")}`,
    },
    {
      acknowledged: (reading) => ledger?.add(reading),
      reach: (reached, detail) => {
        report(reached, detail);
        if (!reached && options.once) stop.abort();
      },
    },
    clock,
  );
  onStopSignal(() => stop.abort());
  fleet.start();
  await Promise.race([fleet.made, aborted(stop.signal)]);
  const summary = await fleet.stop(stop.signal.aborted && options.once ? 0 : options.drainMs);
  await ledger?.close();
  process.stdout.write(options.json ? `${JSON.stringify(summary)}\n` : `${sentence(summary)}\n`);
  return summary.unacknowledged === 0 ? EXIT.ok : EXIT.failed;
}

/** The first signal stops the making and waits for what is outstanding, the second ends at once. */
function onStopSignal(stop: () => void): void {
  let asked = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      if (asked) process.exit(EXIT.failed);
      asked = true;
      stop();
    });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

const FAULT_WORDS: Readonly<Record<keyof Summary["faults"], string>> = {
  duplicates: "sent twice",
  bad: "bad messages",
  silenced: "not made in silence",
  outOfRange: "out of range",
  stuck: "stuck",
};

function sentence(summary: Summary): string {
  const parts = [
    `made ${countOf(summary.made, "reading")} in ${summary.seconds.toFixed(1)} s`,
    `published ${countOf(summary.published, "message")}`,
    `${countOf(summary.acknowledged, "reading")} acknowledged, ${summary.unacknowledged} not`,
  ];
  if (summary.lost > 0) parts.push(`${summary.lost} of these given up because the outbox was full`);
  for (const [name, words] of Object.entries(FAULT_WORDS)) {
    const count = summary.faults[name as keyof Summary["faults"]];
    if (count > 0) parts.push(`${count} ${words}`);
  }
  return parts.join("; ");
}

// A reader that has seen enough (`| head`) ends nothing: the sensors go on. A disk that takes no summary is a failure.
process.stderr.on("error", () => {});
process.stdout.on("error", (error) => {
  if (codeOf(error) === "EPIPE") return;
  console.error(`simulate: standard output can't be written (${codeOf(error) ?? error.message})`);
  process.exitCode = EXIT.failed;
});

try {
  process.exitCode = await simulate(parseOptions(process.argv.slice(2)));
} catch (error) {
  const known = error instanceof Fault;
  console.error(`simulate: ${messageOf(error)}`);
  if (known && error.hint !== undefined) console.error(`  try: ${error.hint}`);
  process.exitCode = known ? error.exitCode : EXIT.failed;
}
