/** From values to places in a drawing. */

export type Scale = (value: number) => number;

/** A straight scale; values beyond the domain stand at its edge. */
export function linear(
  [from, to]: readonly [number, number],
  [first, last]: readonly [number, number],
): Scale {
  // Halved, because the difference of two doubles may be none.
  const span = to / 2 - from / 2;
  return (value) => {
    const part = (Math.min(Math.max(value, from), to) / 2 - from / 2) / span;
    return first + part * (last - first);
  };
}

/** A quarter of the plausible range beyond it is shown; one absurd value must not flatten the day. */
const BEYOND = 0.25;
/** Room above and below the values. */
const ROOM = 0.12;

/** The values an axis shows: those there are, with room, never of no height. */
export function valueDomain(
  slices: readonly { min: number; max: number }[],
  range: { min: number; max: number } | undefined,
): [number, number] {
  let least = Math.min(...slices.map(({ min }) => min));
  let greatest = Math.max(...slices.map(({ max }) => max));
  if (range !== undefined) {
    const beyond = (range.max - range.min) * BEYOND;
    // Both sides of a limit are seen wherever it was crossed.
    least = Math.max(Math.min(least, range.max), range.min - beyond);
    greatest = Math.min(Math.max(greatest, range.min), range.max + beyond);
  }
  const smallest = range === undefined ? Math.abs(least) * 0.02 || 1 : (range.max - range.min) * 0.02;
  const height = Math.max(greatest / 2 - least / 2, smallest / 2) * 2;
  const center = greatest / 2 + least / 2;
  const half = Math.min(height / 2 + height * ROOM, Number.MAX_VALUE / 4);
  return [Math.max(center - half, -Number.MAX_VALUE), Math.min(center + half, Number.MAX_VALUE)];
}

/** Two to five round values within the domain. */
export function ticks([from, to]: readonly [number, number]): number[] {
  const rough = (to / 2 - from / 2) / 2;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(from / step);
  const last = Math.floor(to / step);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
}
