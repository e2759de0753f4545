/** What came of reading a quarantined file; lies beside it as `<name>.json`. */

import type { Progress } from "./progress.ts";

export type Report = ReturnType<typeof reportOn>;

export function reportOn(job: Progress, nowMs: number) {
  const { file, problem, readings, rejects, damaged, skipped, told } = job;
  const missing = missingSeqs(job);
  const held = Math.max(told?.held ?? 0, readings);
  /** Why it can't be called complete. */
  const doubts = [
    damaged > 0 && `${damaged} stood in damaged rows`,
    skipped > 0 && `${skipped} stretches of it could not be read`,
    told === undefined && "what else it held can't be told",
    held > readings && "the rest is lost",
    missing > 0 && `${missing} between its first and its last were delivered before, or are lost`,
    told?.closed === false && "it was not closed in order, so whether its log held more can't be told",
  ].filter((doubt) => doubt !== false);
  const saved = `${readings}${told === undefined ? "" : ` of ${held}`} readings and ${rejects} rejects`;
  return {
    file,
    problem,
    readings,
    rejects,
    /** Readings that its accounts tell of and that could not be saved; those in damaged rows, if nobody knows. */
    lost: told === undefined ? damaged : held - readings,
    /** Seqs between the first and the last that are not in it: delivered before, or lost. */
    missing,
    /** Stretches of the file that could not be read. */
    unreadable: skipped,
    /** True if nothing was lost: it was closed in order, and every seq from its first to its last is there. */
    complete: doubts.length === 0,
    at: new Date(nowMs).toISOString(),
    result: `${saved} were saved from ${file}; ${doubts.join("; ") || "nothing in it was lost"}.`,
  };
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
