/** Holds every group of a buffer against its checksum, its lines against the contract, and the accounts against the groups. */

import type { Database } from "better-sqlite3";
import { unpackLines } from "../gzip.ts";
import { isShippedReading } from "../lines.ts";
import { accountsOf, inBalance, type State } from "../state.ts";
import type { GroupRow } from "../store.ts";
import { groupsOf, inspect, stateIn } from "./inspect.ts";

/** Problems reported in full; the rest are counted. */
export const MAX_PROBLEMS = 100;

export interface Verification {
  ok: boolean;
  groups: number;
  readings: number;
  /** Sentences. */
  problems: string[];
  /** Beyond `MAX_PROBLEMS`. */
  moreProblems: number;
}

/** Checks the whole buffer; groups that a running agent delivers meanwhile are gone, which is no problem. */
export function verifyBuffer(path: string): Verification {
  return inspect(path, (db) => {
    const result: Verification = { ok: true, groups: 0, readings: 0, problems: [], moreProblems: 0 };
    const report = (problem: string): void => {
      result.ok = false;
      if (result.problems.length < MAX_PROBLEMS) result.problems.push(problem);
      else result.moreProblems++;
    };
    for (const row of db.prepare<[], { quick_check: string }>("PRAGMA quick_check(20)").all()) {
      if (row.quick_check !== "ok") report(`SQLite: ${row.quick_check}`);
    }
    const state = checkAccounts(db, report);
    for (const row of groupsOf(db)) {
      result.groups++;
      result.readings += row.count;
      checkGroup(row, state, report);
    }
    return result;
  });
}

/** In one transaction, so that a running agent can't change one side of the sum. */
function checkAccounts(db: Database, report: (problem: string) => void): State {
  return db.transaction(() => {
    const state = stateIn(db);
    if (!inBalance(state)) report("the accounts are out of balance");
    const held = db.prepare<[], number>("SELECT ifnull(sum(count), 0) FROM groups").pluck().get();
    const { buffered } = accountsOf(state);
    if (held !== buffered)
      report(`the accounts say ${buffered} readings are buffered, the groups hold ${held}`);
    const kept = db.prepare<[], number>("SELECT count(*) FROM rejects").pluck().get();
    if (kept !== state.rejectsKept)
      report(`the accounts say ${state.rejectsKept} rejects are kept, there are ${kept}`);
    return state;
  })();
}

function checkGroup(row: GroupRow, state: State, report: (problem: string) => void): void {
  const body = unpackLines(row.body);
  if (body === undefined) {
    report(`group ${row.key}: its bytes are not those that were stored`);
    return;
  }
  const lines = body.toString("utf8").split("\n").slice(0, -1);
  if (lines.length !== row.count)
    report(`group ${row.key}: ${lines.length} readings instead of ${row.count}`);
  if (row.key > 0 && row.key + row.count - 1 > state.lastKey)
    report(`group ${row.key}: newer than the accounts`);
  const wrong = lines.findIndex((line) => !isShippedReading(line));
  if (wrong !== -1) report(`group ${row.key}: line ${wrong + 1} is no shipped reading`);
  else checkSeqs(row, lines, state, report);
}

function checkSeqs(row: GroupRow, lines: string[], state: State, report: (problem: string) => void): void {
  // What was salvaged may have lost some of its own.
  if (row.key < 0) return;
  const first: { epoch: string; seq: number } = JSON.parse(lines[0] ?? "{}");
  if (first.epoch === state.epoch && first.seq !== row.key - state.epochBase) {
    report(`group ${row.key}: begins with seq ${first.seq} instead of ${row.key - state.epochBase}`);
  }
  const gap = lines.findIndex((line, index) => JSON.parse(line).seq !== first.seq + index);
  if (gap !== -1) report(`group ${row.key}: seq ${first.seq + gap} is missing`);
}
