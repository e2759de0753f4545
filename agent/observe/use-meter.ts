/** What is used up of something that costs money or wears out: today, and in a month at the present rate. */

import { readFileSync } from "node:fs";
import { RateWindow } from "./rates.ts";
import type { Use } from "./snapshot.ts";

const DAY_MS = 86_400_000;
const MONTH_SECONDS = (30 * DAY_MS) / 1000;
const WINDOW_MS = 3_600_000;
/** What a shorter time would say of a month is chance, ms. */
const LEAST_MS = 60_000;

export class UseMeter {
  readonly #rates = new RateWindow(WINDOW_MS);
  #firstMs: number | undefined;
  #day = Number.NaN;
  #beforeToday = 0;
  #lastBytes = 0;

  /** `totalBytes` since this process started, at `nowMs` (ms since 1970). Take the first sample when it starts. */
  sample(nowMs: number, totalBytes: number): Use {
    this.#firstMs ??= nowMs;
    const day = Math.floor(nowMs / DAY_MS);
    if (day !== this.#day) {
      this.#day = day;
      this.#beforeToday = this.#lastBytes;
    }
    this.#lastBytes = totalBytes;
    this.#rates.push(nowMs, { bytes: totalBytes });
    const perSecond = nowMs - this.#firstMs < LEAST_MS ? undefined : this.#rates.perSecond("bytes");
    return {
      totalBytes,
      todayBytes: totalBytes - this.#beforeToday,
      ...(perSecond === undefined ? {} : { monthBytes: perSecond * MONTH_SECONDS }),
    };
  }
}

/** Bytes this process has had written to the disk; undefined where the system doesn't tell. */
export function writtenBytes(file = "/proc/self/io"): number | undefined {
  try {
    const found = /^write_bytes: (\d+)$/m.exec(readFileSync(file, "utf8"))?.[1];
    return found === undefined ? undefined : Number(found);
  } catch {
    return undefined;
  }
}
