/** Tries kept rejects again, once the cause is cured: an alias was added, a time zone set, a type taught. */

import { MARK_DAY, MARK_DUP } from "../../contract/shipped.ts";
import { GroupWriter } from "../group-writer.ts";
import { packLines } from "../gzip.ts";
import { readableLines } from "../lines.ts";
import type { State } from "../state.ts";
import type { Store } from "../store.ts";
import { type KeptReject, REJECTS } from "./inspect.ts";
import { type OfflineSettings, withOwned } from "./offline.ts";

/** The head of a reading now understood, as `append` takes it, or why it still is not. */
export type Revalidate = (
  topic: string,
  payload: Uint8Array,
) => { head: Uint8Array; turbine: string; day: boolean } | { reason: string };

export interface Replayed {
  /** Readings now in the queue. */
  readings: number;
  /** Messages still not understood, by reason. */
  remaining: Record<string, number>;
}

/** Rejects looked at in one transaction, and so readings in a group. */
const STEP = 500;

/** Moves from the reject lane to the queue what `revalidate` understands now. Throws `buffer.locked` while an agent runs. */
export function replayRejects(settings: OfflineSettings, revalidate: Revalidate): Promise<Replayed> {
  const result: Replayed = { readings: 0, remaining: {} };
  return withOwned(settings, ({ store, change }) => {
    const next = store.db.prepare<[number], KeptReject>(
      `${REJECTS} WHERE number > ? ORDER BY number LIMIT ${STEP}`,
    );
    for (let step = next.all(-1); step.length > 0; step = next.all(step.at(-1)?.number ?? 0)) {
      change((state) => {
        const writer = new GroupWriter(settings.gateway, state.epoch);
        for (const reject of step) {
          const { reason, number, count, bytes } = reject;
          // A damaged group's bytes say nothing that a validator understands.
          const isBack =
            reason === "refused"
              ? putGroupBack(store, state, reject)
              : reason !== "damaged" && write(writer, state, reject, revalidate);
          if (!isBack) {
            result.remaining[reason] = (result.remaining[reason] ?? 0) + 1;
            continue;
          }
          store.deleteReject(number);
          state.rejectsKept--;
          state.rejectsBytes -= bytes;
          state.rejected -= count;
          state.buffered += count;
          result.readings += count;
        }
        if (writer.count === 0) return;
        const { count, firstReceivedMs: received } = writer;
        store.insertGroup({ key: state.lastKey + 1, count, received, body: packLines(writer.bytes()) });
        state.lastKey += count;
      });
    }
    return result;
  });
}

/** A group that Kinesis refused, as it was; false if its lines are no longer whole. */
function putGroupBack(store: Store, state: State, { payload, count, received }: KeptReject): boolean {
  const lines = readableLines(payload);
  if (lines.length === 0 || lines.length !== payload.length) return false;
  store.insertGroup({ key: state.salvagedKey++, count, received, body: packLines(lines) });
  return true;
}

/** A message now understood: a reading with a seq of its own, received when the message was. False if it still is not. */
function write(writer: GroupWriter, state: State, reject: KeptReject, revalidate: Revalidate): boolean {
  const verdict = revalidate(reject.topic, reject.payload);
  if ("reason" in verdict) return false;
  const seq = state.lastKey - state.epochBase + 1 + writer.count;
  const marks = (verdict.day ? MARK_DAY : 0) | (reject.dup === 1 ? MARK_DUP : 0);
  writer.add(verdict.head, verdict.turbine, reject.received, marks, seq);
  return true;
}
