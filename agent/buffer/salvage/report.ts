/** What came of reading a quarantined file, as a sentence and as a report. */

import type { Progress } from "./progress.ts";

/** Lies beside the file as `<name>.json`. */
export interface Report {
  file: string;
  problem: string;
  readings: number;
  rejects: number;
  /** Readings that its accounts tell of and that could not be saved; those in damaged rows, if nobody knows. */
  lost: number;
  /** Seqs between the first and the last that are not in it: delivered before, or lost. */
  missing: number;
  /** Stretches of the file that could not be read. */
  unreadable: number;
  /** True if nothing was lost: it was closed in order, and every seq from its first to its last is there. */
  complete: boolean;
  /** ISO 8601. */
  at: string;
  result: string;
}

export function reportOn(job: Progress, nowMs: number): Report {
  const { file, problem, readings, rejects, damaged, skipped: unreadable, told } = job;
  const missing = missingSeqs(job);
  const lost = told === undefined ? damaged : Math.max(0, told.buffered - readings);
  const complete = told?.closed === true && lost + damaged + unreadable + missing === 0;
  const held = told === undefined ? "" : ` of ${Math.max(told.buffered, readings)}`;
  const rest = complete ? "nothing in it was lost" : reservations(job, missing).join("; ");
  const result = `${readings}${held} readings and ${rejects} rejects were saved from ${file}; ${rest}.`;
  const at = new Date(nowMs).toISOString();
  return { file, problem, readings, rejects, lost, missing, unreadable, complete, at, result };
}

/** Holes in `seq`, up to the newest reading that the file's accounts tell of. */
function missingSeqs({ seqs, told }: Progress): number {
  let missing = 0;
  for (const [epoch, { first, last, count }] of Object.entries(seqs)) {
    const end = epoch === told?.epoch ? Math.max(last, told.lastSeq) : last;
    missing += end - first + 1 - count;
  }
  return missing;
}

/** Why it can't be called complete. */
function reservations({ told, readings, damaged, skipped }: Progress, missing: number): string[] {
  const said: string[] = [];
  if (damaged > 0) said.push(`${damaged} stood in damaged rows`);
  if (skipped > 0) said.push(`${skipped} stretches of it could not be read`);
  if (told === undefined) said.push("what else it held can't be told");
  else if (told.buffered > readings) said.push("the rest is lost");
  if (missing > 0) said.push(`${missing} between its first and its last were delivered before, or are lost`);
  if (told?.closed === false)
    said.push("it was not closed in order, so whether its log held more can't be told");
  return said;
}
