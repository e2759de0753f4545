/** Tries kept rejects again, once the cause is cured: an alias was added, a time zone set, a type taught. */

import { MARK_DAY, MARK_DUP } from "../../contract/shipped.ts";
import { GroupWriter } from "../group-writer.ts";
import { packLines } from "../gzip.ts";
import { readableLines } from "../lines.ts";
import type { State } from "../state.ts";
import type { Store } from "../store.ts";
import { type KeptReject, rejectsOf } from "./inspect.ts";
import { type OfflineSettings, type OwnedBuffer, withOwned } from "./offline.ts";

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

/** Rejects looked at in one transaction. */
const STEP = 500;

/** Moves from the reject lane to the queue what `revalidate` understands now. Throws `buffer.locked` while an agent runs. */
export function replayRejects(settings: OfflineSettings, revalidate: Revalidate): Promise<Replayed> {
  return withOwned(settings, async (buffer) => {
    const result: Replayed = { readings: 0, remaining: {} };
    let piece: KeptReject[] = [];
    for (const reject of rejectsOf(buffer.store.db)) {
      piece.push(reject);
      if (piece.length < STEP) continue;
      replay(buffer, settings, piece, revalidate, result);
      piece = [];
    }
    replay(buffer, settings, piece, revalidate, result);
    return result;
  });
}

function replay(
  buffer: OwnedBuffer,
  { gateway }: OfflineSettings,
  rejects: readonly KeptReject[],
  revalidate: Revalidate,
  result: Replayed,
): void {
  buffer.change((store, state) => {
    const writer = new GroupWriter(gateway, state.epoch);
    const firstKey = state.lastKey + 1;
    for (const reject of rejects) {
      const readings = again(store, state, reject, revalidate, writer);
      if (readings > 0) leave(store, state, reject);
      else result.remaining[reject.reason] = (result.remaining[reject.reason] ?? 0) + 1;
      result.readings += readings;
    }
    if (writer.count === 0) return;
    const { count, firstReceivedMs: received } = writer;
    store.insertGroup({ key: firstKey, count, received, body: packLines(writer.bytes()) });
    state.lastKey += writer.count;
  });
}

/** Puts the readings of one reject back, where they are understood; how many. */
function again(
  store: Store,
  state: State,
  reject: KeptReject,
  revalidate: Revalidate,
  writer: GroupWriter,
): number {
  const count =
    reject.reason === "refused"
      ? wholeGroup(store, state, reject)
      : newReading(state, reject, revalidate, writer);
  state.rejected -= count;
  state.buffered += count;
  return count;
}

/** A group that Kinesis refused, as it was. */
function wholeGroup(store: Store, state: State, { payload, count, received }: KeptReject): number {
  const body = readableLines(payload);
  if (body.length === 0 || body.length !== payload.length) return 0;
  store.insertGroup({ key: state.salvagedKey, count, received, body: packLines(body) });
  state.salvagedKey++;
  return count;
}

/** A message now understood: a reading with a seq of its own, received when the message was. */
function newReading(state: State, reject: KeptReject, revalidate: Revalidate, writer: GroupWriter): number {
  // A damaged group's bytes say nothing that a validator understands.
  if (reject.reason === "damaged") return 0;
  const verdict = revalidate(reject.topic, reject.payload);
  if ("reason" in verdict) return 0;
  const seq = state.lastKey - state.epochBase + 1 + writer.count;
  const marks = (verdict.day ? MARK_DAY : 0) | (reject.dup === 1 ? MARK_DUP : 0);
  writer.add(verdict.head, verdict.turbine, reject.received, marks, seq);
  return 1;
}

function leave(store: Store, state: State, reject: KeptReject): void {
  store.deleteReject(reject.number);
  state.rejectsKept--;
  state.rejectsBytes -= reject.bytes;
}
