/** `npm start`: the local cloud, the agent and the sensors, one command. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";
import { Demo, notBuilt } from "./demo.ts";
import { parseOptions } from "./options.ts";
import { emptyData, makePlan } from "./plan.ts";
import { requireFree } from "./ports.ts";
import { ownScreen } from "./screen.ts";

const PROGRAMS = ["cloud", "windfarm", "simulate"];

async function start(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  for (const program of PROGRAMS) {
    if (!existsSync(fileURLToPath(new URL(`${program}.js`, import.meta.url)))) throw notBuilt(program);
  }
  const plan = await makePlan(options);
  await requireFree(plan.ports);
  if (options.fresh) emptyData(plan);
  const demo = new Demo(plan, options, ownScreen());
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => demo.stop());
  stopWhenUnread(demo);
  return await demo.run();
}

/** Nobody reads on (`npm start | head`): that is no reason to fall over, but one to stop. */
function stopWhenUnread(demo: Demo): void {
  let asked = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => {
      if (!asked) demo.stop();
      asked = true;
    });
  }
}

try {
  process.exitCode = await start(process.argv.slice(2));
} catch (error) {
  const known = error instanceof Fault;
  for (const line of messageOf(error).split("\n")) console.error(`start: ${line}`);
  if (known) for (const line of error.hint?.split("\n") ?? []) console.error(`  try: ${line}`);
  process.exitCode = known ? error.exitCode : EXIT.failed;
}
