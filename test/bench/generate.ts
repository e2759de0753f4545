/** Runs the load generator as a process of its own. */

import type { LoadPlan, LoadResult } from "./load.ts";
import { Program } from "./programs.ts";

export async function generateLoad(plan: LoadPlan): Promise<LoadResult> {
  const generator = new Program("bench-load.js", [JSON.stringify(plan)]);
  return JSON.parse(await generator.line()) as LoadResult;
}
