/** The dates producers send, and the one form we write: `YYYY-MM-DDTHH:MM:SS.mmmZ`. */

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/;
const DAY_FIRST = /^(\d{2})\/(\d{2})\/(\d{4})$/;
const DAY_ONLY = /^(?:\d{4}-\d{2}-\d{2}|\d{2}\/\d{2}\/\d{4})$/;
/** Longest text that can be a date, without the blanks around it. */
const MAX_DATE_LENGTH = 64;
const MINUTE_MS = 60_000;

/** Whether a date that `DateReader` understands names a day and no time. */
export function isDayOnly(text: string): boolean {
  return DAY_ONLY.test(text.trim());
}

interface Fields {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
}

/** Reads dates; a text without a zone is taken as local time in `timezone` (IANA name). */
export class DateReader {
  readonly #offset: (utcMs: number) => number;

  /** Throws a RangeError for an unknown time zone. */
  constructor(timezone = "UTC") {
    this.#offset = timezone === "UTC" ? () => 0 : offsetReader(timezone);
  }

  /**
   * Milliseconds since 1970 UTC, or undefined for what is no date between the years 1 and 9999.
   * Digits beyond the millisecond are cut. In the hour a clock change repeats, the first is meant; one it
   * leaves out is read with the offset before the change.
   */
  read(text: string): number | undefined {
    const trimmed = text.trim();
    if (trimmed.length > MAX_DATE_LENGTH) return undefined;
    const iso = ISO.exec(trimmed);
    if (iso !== null) return this.#fromIso(iso);
    const dayFirst = DAY_FIRST.exec(trimmed);
    if (dayFirst === null) return undefined;
    const [, day, month, year] = dayFirst.map(Number) as [number, number, number, number];
    return this.#local({ year, month, day, hour: 0, minute: 0, second: 0, ms: 0 });
  }

  #fromIso(match: RegExpExecArray): number | undefined {
    const fields = {
      year: Number(match[1]),
      month: Number(match[2]),
      day: Number(match[3]),
      hour: Number(match[4] ?? 0),
      minute: Number(match[5] ?? 0),
      second: Number(match[6] ?? 0),
      ms: Number((match[7] ?? "").padEnd(3, "0").slice(0, 3)),
    };
    const zone = match[8];
    if (zone === undefined) return this.#local(fields);
    const offset = zoneOffsetMs(zone);
    const utc = toUtc(fields);
    return utc === undefined || offset === undefined ? undefined : within(utc - offset);
  }

  #local(fields: Fields): number | undefined {
    const asUtc = toUtc(fields);
    if (asUtc === undefined) return undefined;
    const before = this.#offset(asUtc - 24 * 60 * MINUTE_MS);
    const first = asUtc - before;
    if (this.#offset(first) === before) return within(first);
    const second = asUtc - this.#offset(first);
    return within(this.#offset(second) === this.#offset(first) ? second : first);
  }
}

const EARLIEST = Date.parse("0001-01-01T00:00:00.000Z");
const LATEST = Date.parse("9999-12-31T23:59:59.999Z");

function within(ms: number): number | undefined {
  return ms >= EARLIEST && ms <= LATEST ? ms : undefined;
}

function toUtc(f: Fields): number | undefined {
  if (f.hour > 23 || f.minute > 59 || f.second > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(f.year, f.month - 1, f.day);
  date.setUTCHours(f.hour, f.minute, f.second, f.ms);
  const same =
    date.getUTCFullYear() === f.year && date.getUTCMonth() === f.month - 1 && date.getUTCDate() === f.day;
  return same ? date.getTime() : undefined;
}

function zoneOffsetMs(zone: string): number | undefined {
  if (zone === "Z" || zone === "z") return 0;
  const digits = zone.replace(":", "");
  const hours = Number(digits.slice(1, 3));
  const minutes = Number(digits.slice(3, 5) || 0);
  if (hours > 18 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}

/** A function that gives the zone's offset from UTC, in milliseconds, at a moment. */
function offsetReader(timezone: string): (utcMs: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
    era: "short",
  });
  return (utcMs) => {
    const part: Record<string, string> = {};
    for (const { type, value } of format.formatToParts(utcMs)) part[type] = value;
    const year = part.era === "BC" ? 1 - Number(part.year) : Number(part.year);
    const local = new Date(0);
    local.setUTCFullYear(year, Number(part.month) - 1, Number(part.day));
    local.setUTCHours(Number(part.hour), Number(part.minute), Number(part.second));
    return local.getTime() - Math.floor(utcMs / 1000) * 1000;
  };
}
