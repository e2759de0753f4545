/**
 * What the page shows beside the snapshot: each turbine's values with their recent course, the last refused messages, the
 * last warnings. Sampled once a second, whatever the rate of the readings.
 */

import { printable } from "../common/printable.ts";
import type { LoggedProblem } from "./last-problems.ts";

/** What the validator remembers. */
export interface Seen {
  readonly turbines: ReadonlyMap<
    string,
    ReadonlyMap<string, { data: number; count: number; outside: number }>
  >;
  readonly full: boolean;
  readonly refused: readonly {
    number: number;
    reason: string;
    detail: string;
    topic: string;
    payload: Uint8Array;
    bytes: number;
  }[];
}

export interface Live {
  /** ms since 1970. */
  nowMs: number;
  /** Columns, in the contract's order. */
  types: readonly { type: string; unit: string; min: number; max: number }[];
  /** By name. */
  turbines: readonly LiveTurbine[];
  /** True if there may be more turbines than are shown. */
  more: boolean;
  /** Newest first. */
  refused: readonly RefusedShown[];
  /** Newest first. */
  problems: readonly LoggedProblem[];
}

export interface LiveTurbine {
  name: string;
  /** By type. */
  sensors: Readonly<Record<string, LiveSensor>>;
}

export interface LiveSensor {
  /** The latest value, in the sensor's unit. */
  data: number;
  /** When it came, to the second, ms since 1970. */
  atMs: number;
  /** Readings out of range since the agent started. */
  outside: number;
  /** The latest value of each second that had one, oldest first. */
  trail: readonly number[];
  /** Places in `trail` whose second had a reading out of range. */
  marks: readonly number[];
}

export interface RefusedShown {
  reason: string;
  detail: string;
  topic: string;
  /** The payload's beginning as one printable line. */
  payload: string;
  bytes: number;
  atMs: number;
}

export interface LiveDeps {
  seen: () => Seen;
  types: Live["types"];
  problems: () => readonly LoggedProblem[];
  now: () => number;
}

export const LIVE_EVERY_MS = 1000;
const TRAIL_POINTS = 60;
/** Of more turbines than this less is shown of each, and the page asks less often. */
export const FEW_TURBINES = 60;
const SHORT_TRAIL_POINTS = 20;

interface Track {
  count: number;
  outside: number;
  data: number;
  atMs: number;
  trail: number[];
  outsideTrail: boolean[];
}

export class LiveSampler {
  readonly #deps: LiveDeps;
  readonly #tracks = new Map<string, Map<string, Track>>();
  /** When each refused message was first seen here, by its number. */
  #refusedAt = new Map<number, number>();

  constructor(deps: LiveDeps) {
    this.#deps = deps;
  }

  /** Looks at what is new; called once a second. */
  sample(): void {
    const { turbines, refused } = this.#deps.seen();
    const nowMs = this.#deps.now();
    for (const [turbine, sensors] of turbines) {
      const tracks = this.#tracks.get(turbine) ?? new Map<string, Track>();
      this.#tracks.set(turbine, tracks);
      for (const [type, value] of sensors) tracks.set(type, follow(tracks.get(type), value, nowMs));
    }
    this.#refusedAt = new Map(
      refused.map(({ number }) => [number, this.#refusedAt.get(number) ?? nowMs] as const),
    );
  }

  view(): Live {
    this.sample();
    const { types, problems, now, seen } = this.#deps;
    const points = this.#tracks.size > FEW_TURBINES ? SHORT_TRAIL_POINTS : TRAIL_POINTS;
    const names = [...this.#tracks.keys()].sort(inOrder.compare);
    return {
      nowMs: now(),
      types,
      turbines: names.map((name) => turbineOf(name, this.#tracks.get(name) ?? new Map(), points)),
      more: seen().full,
      refused: this.#refused(),
      problems: problems(),
    };
  }

  #refused(): RefusedShown[] {
    return this.#deps
      .seen()
      .refused.map(({ number, reason, detail, topic, payload, bytes }) => ({
        reason,
        detail: printable(detail),
        topic: printable(topic),
        payload: printable(utf8.decode(payload)),
        bytes,
        atMs: this.#refusedAt.get(number) ?? this.#deps.now(),
      }))
      .reverse();
  }
}

const utf8 = new TextDecoder();
/** `T2` before `T10`. */
const inOrder = new Intl.Collator("en", { numeric: true });

function follow(
  before: Track | undefined,
  { data, count, outside }: { data: number; count: number; outside: number },
  nowMs: number,
): Track {
  const track = before ?? { count: 0, outside: 0, data, atMs: nowMs, trail: [], outsideTrail: [] };
  if (count === track.count) return track;
  track.trail.push(data);
  track.outsideTrail.push(outside > track.outside);
  if (track.trail.length > TRAIL_POINTS) {
    track.trail.shift();
    track.outsideTrail.shift();
  }
  return Object.assign(track, { count, outside, data, atMs: nowMs });
}

function turbineOf(name: string, tracks: ReadonlyMap<string, Track>, points: number): LiveTurbine {
  const sensors: Record<string, LiveSensor> = {};
  for (const [type, { data, atMs, outside, trail, outsideTrail }] of tracks) {
    const marks = outsideTrail.slice(-points).flatMap((is, index) => (is ? [index] : []));
    sensors[type] = { data, atMs, outside, trail: trail.slice(-points), marks };
  }
  return { name: printable(name), sensors };
}
