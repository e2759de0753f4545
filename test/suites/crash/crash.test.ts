/**
 * The power is cut at thousands of moments of a run of the whole agent under load, and whatever was not synced is lost,
 * kept, thinned or torn. No acknowledged reading may be missing. Broken agents must be found out by the same harness.
 */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { MUTANTS } from "./mutants.ts";
import { record, straceMissing } from "./record.ts";
import { acknowledgedIn, replay } from "./replay.ts";

const skip = straceMissing();
const READINGS = 3000;
const STATES = 2400;

/** A generator with a seed, so that a state found bad can be made again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const top = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "windfarm-crash-"));
t.teardown(() => rmSync(top, { recursive: true, force: true }));

t.test("no power cut loses an acknowledged reading", { skip }, async (t) => {
  const recording = await record(join(top, "sound"), "sound", READINGS);
  const acks = recording.ops.flatMap((op) => (op.kind === "send" ? acknowledgedIn(op.data) : []));
  t.equal(acks.length, READINGS, "every PUBACK is in the trace");
  t.ok(recording.ops.filter(({ kind }) => kind === "sync").length > 50, "the trace shows syncs");
  const verdict = await replay(recording, join(top, "state"), STATES, seeded(1));
  t.comment(JSON.stringify(verdict));
  t.ok(verdict.states >= 2000, `${verdict.states} crash states`);
  t.ok(verdict.unsyncedStates > 200, `${verdict.unsyncedStates} of them with writes that were not synced`);
  t.equal(verdict.losing, 0, "no state lost an acknowledged reading");
  t.ok(verdict.left > 1000 * verdict.states, "readings had left");
  t.equal(verdict.reusing, 0, "no epoch and seq that had left was given to another reading");
  // A log that ends inside a transaction is what a power cut leaves; a file that could not be used is not.
  const ruined = Object.keys(verdict.said).filter((sentence) => sentence.includes("could not be used"));
  t.strictSame(ruined, [], "no state was a file that could not be used");
});

t.test("no PUBACK leaves before the sync of the transaction that holds its reading", { skip }, async (t) => {
  const recording = await record(join(top, "order"), "sound", 500);
  const verdict = await replay(recording, join(top, "state"), recording.ops.length, seeded(2));
  t.comment(JSON.stringify(verdict));
  t.equal(
    verdict.losing,
    0,
    `at each of ${verdict.states} moments, all that was acknowledged was on the disk`,
  );
});

for (const [name, { mutations, random, finds }] of Object.entries(MUTANTS)) {
  t.test(`an agent with ${name} is found out`, { skip }, async (t) => {
    const recording = await record(join(top, "mutant"), name.replace(/\W+/g, "-"), 600, mutations);
    const verdict = await replay(recording, join(top, "state"), 400, seeded(3), random);
    t.comment(JSON.stringify(verdict));
    t.ok(verdict[finds] > 0, `${verdict[finds]} of ${verdict.states} states are ${finds}`);
    rmSync(join(top, "mutant"), { recursive: true, force: true });
  });
}
