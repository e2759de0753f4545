/** Durations and sizes as people write them: a number and its unit, `20ms`, `1.5h`, `64KiB`, `2GiB`. */

const DURATION_MS: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
  ["h", 3_600_000],
  ["d", 86_400_000],
]);

const SIZE_BYTES: ReadonlyMap<string, number> = new Map([
  ["b", 1],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
  ["tib", 2 ** 40],
]);

const QUANTITY = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)$/;

/** Milliseconds, a whole number; undefined for what is no duration. Units: ms, s, m, h, d. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, DURATION_MS);
}

/** Bytes, a whole number; undefined for what is no size. Units, in any case: B, kB, MB, GB, TB, KiB, MiB, GiB, TiB. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text.toLowerCase(), SIZE_BYTES);
}

function parseQuantity(text: string, units: ReadonlyMap<string, number>): number | undefined {
  const [, number, unit] = QUANTITY.exec(text.trim()) ?? [];
  const scale = unit === undefined ? undefined : units.get(unit);
  if (scale === undefined) return undefined;
  const value = Math.round(Number(number) * scale);
  return Number.isSafeInteger(value) ? value : undefined;
}
