/** Holds every group of a buffer against its checksum, its lines against the contract, and the accounts against the groups. */

import type { Database } from "better-sqlite3";
import { unpackLines } from "../gzip.ts";
import { isShippedReading } from "../lines.ts";
import { inBalance, type State } from "../state.ts";
import type { GroupRow } from "../store.ts";
import { groupsOf, inspect, type Look, stateIn } from "./inspect.ts";

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
export function verifyBuffer(path: string, look: Look = () => {}): Verification {
  const result: Verification = { ok: true, groups: 0, readings: 0, problems: [], moreProblems: 0 };
  const report = (problem: string): void => {
    result.ok = false;
    if (result.problems.length < MAX_PROBLEMS) result.problems.push(problem);
    else result.moreProblems++;
  };
  return inspect(path, (db) => {
    for (const answer of db.prepare<[], string>("PRAGMA quick_check(20)").pluck().all())
      if (answer !== "ok") report(`SQLite: ${answer}`);
    // In one transaction, so that a running agent can't change one side of the sum.
    const state = db.transaction(() => checkAccounts(db, report))();
    for (const row of groupsOf(db)) {
      result.groups++;
      result.readings += row.count;
      look(result.readings);
      checkGroup(row, state, (problem) => report(`group ${row.key}: ${problem}`));
    }
    return result;
  });
}

function checkAccounts(db: Database, report: (problem: string) => void): State {
  const state = stateIn(db);
  const { buffered, rejectsKept } = state;
  const count = (sql: string) => db.prepare<[], number>(sql).pluck().get();
  const held = count("SELECT ifnull(sum(count), 0) FROM groups");
  const kept = count("SELECT count(*) FROM rejects");
  if (!inBalance(state)) report("the accounts are out of balance");
  if (held !== buffered)
    report(`the accounts say ${buffered} readings are buffered, the groups hold ${held}`);
  if (kept !== rejectsKept) report(`the accounts say ${rejectsKept} rejects are kept, there are ${kept}`);
  return state;
}

function checkGroup(row: GroupRow, state: State, report: (problem: string) => void): void {
  const body = unpackLines(row.body);
  if (body === undefined) {
    report("its bytes are not those that were stored");
    return;
  }
  const lines = body.toString("utf8").split("\n").slice(0, -1);
  if (lines.length !== row.count) report(`${lines.length} readings instead of ${row.count}`);
  if (row.key > 0 && row.key + row.count - 1 > state.lastKey) report("newer than the accounts");
  const wrong = lines.findIndex((line) => !isShippedReading(line));
  if (wrong !== -1) report(`line ${wrong + 1} is no shipped reading`);
  // What was salvaged may have lost some of its own.
  if (wrong !== -1 || row.key < 0) return;
  const deliveries: { epoch: string; seq: number }[] = lines.map((line) => JSON.parse(line));
  const { epoch, seq: first } = deliveries[0] ?? { epoch: "", seq: 0 };
  const expected = row.key - state.epochBase;
  if (epoch === state.epoch && first !== expected) report(`begins with seq ${first} instead of ${expected}`);
  const gap = deliveries.findIndex(({ seq }, index) => seq !== first + index);
  if (gap !== -1) report(`seq ${first + gap} is missing`);
}
