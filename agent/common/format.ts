/** Numbers for people: one way to write them, for the sentence, the page and the command line. */

const THOUSANDS = /\B(?=(?:\d{3})+$)/g;
const BINARY_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A whole number in groups of three: `43 120`. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(Math.round(value)).toFixed(0).replace(THOUSANDS, " ");
  return Math.round(value) < 0 ? `−${digits}` : digits;
}

/** `noun` in the number that `value` asks for: `1 reading`, `43 120 readings`. */
export function countOf(value: number, noun: string): string {
  return `${formatCount(value)} ${noun}${Math.round(value) === 1 ? "" : "s"}`;
}

/** Bytes in binary units: `512 B`, `1.2 GiB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return "–";
  let scaled = Math.max(0, bytes);
  let unit = 0;
  while (scaled >= 1023.5 && unit < BINARY_UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  const digits = unit > 0 && scaled < 99.95 ? 1 : 0;
  return `${scaled.toFixed(digits)} ${BINARY_UNITS[unit]}`;
}

/** A length of time in its largest unit, two where they tell more: `0 s`, `12 min`, `3 h 5 min`, `9 days`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 2 * MINUTE) return `${whole} s`;
  if (whole < 2 * HOUR) return `${Math.floor(whole / MINUTE)} min`;
  if (whole < 2 * DAY) {
    const minutes = Math.floor((whole % HOUR) / MINUTE);
    const hours = `${Math.floor(whole / HOUR)} h`;
    return minutes === 0 || whole >= 10 * HOUR ? hours : `${hours} ${minutes} min`;
  }
  return `${formatCount(Math.floor(whole / DAY))} days`;
}

/** A short length of time: `0.4 ms`, `12 ms`, `1.50 s`. */
export function formatLatency(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  const ms = Math.max(0, seconds * 1000);
  if (ms >= 1000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** Something per second, as exact as its size deserves: `0/s`, `0.05/s`, `29.8/s`, `1 204/s`. */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return "–";
  const value = Math.max(0, perSecond);
  if (value === 0) return "0/s";
  if (value < 0.005) return "<0.01/s";
  if (value < 10) return `${Number(value.toFixed(2))}/s`;
  if (value < 100) return `${Number(value.toFixed(1))}/s`;
  return `${formatCount(value)}/s`;
}

/** A share of a whole: `0 %`, `0.4 %`, `71 %`. */
export function formatShare(share: number): string {
  if (!Number.isFinite(share)) return "–";
  const percent = Math.max(0, share * 100);
  if (percent > 0 && percent < 0.1) return "<0.1 %";
  return `${Number(percent.toFixed(percent < 10 ? 1 : 0))} %`;
}
