/** `npm run plan`: the result to stdout. */

import { Fault } from "../../agent/errors.ts";
import { forgiveReaders } from "../command.ts";
import { parseOptions } from "./options.ts";
import { asJson, asText, planOf } from "./plan.ts";

forgiveReaders();
try {
  const options = await parseOptions(process.argv.slice(2));
  if (options !== undefined) {
    const { fleet, stage, json } = options;
    const plan = planOf(fleet, stage);
    process.stdout.write(json ? asJson(plan) : asText(plan, stage));
  }
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  console.error(`plan: ${error.message}`);
  if (error.hint !== undefined) console.error(`  try: ${error.hint}`);
  process.exitCode = error.exitCode;
}
