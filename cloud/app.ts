/** The CDK app: `npx cdk synth|diff|deploy -c stage=dev|prod [-c email=…] [-c region=…] [-c name=…] [-c runbook=https://…]`. */

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { App } from "aws-cdk-lib";
import { Fault } from "../agent/errors.ts";
import { CHOICES } from "./choices.ts";
import { STAGES } from "./names.ts";
import { settingsOf } from "./settings.ts";
import { sourcesIn } from "./sources.ts";
import { windFarm } from "./stacks/farm.ts";

/** This file, and dist/cdk.js that is built of it, lie one level below the root. */
const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

try {
  // The report on a slow synthesis would be the one file that differs from run to run.
  const app = new App({ performanceReporting: false });
  const stage: unknown = app.node.tryGetContext("stage") ?? STAGES[0];
  const choices = Object.fromEntries(CHOICES.map((choice) => [choice, app.node.tryGetContext(choice)]));
  windFarm(app, settingsOf(String(stage), choices), sourcesIn(root));
  app.synth();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  console.error(`cdk: ${error.message}`);
  if (error.hint !== undefined) console.error(`  try: ${error.hint}`);
  process.exitCode = error.exitCode;
}
