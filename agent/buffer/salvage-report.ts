/** What came of reading a file that was set aside, as a sentence and as a report. */

import type { Report } from "./aside.ts";
import type { Progress } from "./salvage-source.ts";

export function reportOn(job: Progress, nowMs: number): Report {
  const { file, problem, readings, rejects, lost } = job;
  const unreadable = Math.max(0, job.stumbled - 1);
  const complete = isComplete(job, unreadable);
  const result = job.partial === 1 ? ofLog(job, complete) : ofFile(job, complete);
  const at = new Date(nowMs).toISOString();
  return { file, problem, readings, rejects, lost, unreadable, complete, at, result };
}

function isComplete({ partial, lost, expected, readings, stumbled }: Progress, unreadable: number): boolean {
  if (unreadable > 0) return false;
  // What the copy of a torn log lacks was never acknowledged.
  if (partial === 1) return true;
  return lost === 0 && (expected >= 0 ? readings >= expected : stumbled === 0);
}

function ofLog({ file, readings }: Progress, complete: boolean): string {
  const rest = complete
    ? "if it was a power cut, what it lacks was never acknowledged"
    : "the disk did not give all of it";
  return `${readings} readings were saved from ${file}-wal; ${rest}.`;
}

function ofFile({ file, readings, rejects, lost, expected, stumbled }: Progress, complete: boolean): string {
  const isKnown = expected >= 0;
  const held = isKnown ? ` of ${Math.max(expected, readings)}` : "";
  const unread =
    isKnown || lost > 0 ? "the rest could not be read" : "what else it held, if anything, can't be told";
  const known = stumbled === 1 ? "all that its accounts tell of" : "nothing in it was lost";
  const rest = complete ? known : (refused(stumbled, readings >= expected) ?? unread);
  return `${readings}${held} readings and ${rejects} rejects were saved from ${file}; ${rest}.`;
}

/** Where nothing is known to be missing, and yet not all was read. */
function refused(stumbled: number, allKnown: boolean): string | undefined {
  if (stumbled <= 1 || !allKnown) return undefined;
  return `the disk did not give ${stumbled - 1} pieces of it, and what stood there can't be told`;
}
