/** MQTT topics: `windfarm/<turbine>/<sensor>`, by default the filter `windfarm/+/+`. */

/** What a fit topic says: whose reading it is. */
export interface TopicParts {
  /** From the filter's first `+`. */
  turbine: string;
  /** From the filter's last `+`, when it has two; the sensor's slug. */
  sensor: string | undefined;
}

/** Longest turbine name taken, in UTF-16 units. */
export const MAX_TURBINE_LENGTH = 128;

const UNFIT = /[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffd]/u;

/** True for a name that may reach keys and rows: not empty, no control character, no lone surrogate. */
export function isFitName(name: string): boolean {
  return name.length <= MAX_TURBINE_LENGTH && name.trim() !== "" && !UNFIT.test(name);
}

/** Reads topics by one filter with one or two `+` and no `#`. */
export class TopicReader {
  readonly #levels: readonly string[];

  /** Throws a RangeError for a filter without `+`, with more than two, or with `#`. */
  constructor(filter: string) {
    const levels = filter.split("/");
    const wildcards = levels.filter((level) => level === "+").length;
    if (wildcards < 1 || wildcards > 2 || filter.includes("#")) {
      throw new RangeError(
        `the topic "${filter}" needs one + for the turbine and may have one more for the sensor`,
      );
    }
    this.#levels = levels;
  }

  /** What `topic` says, or undefined where it doesn't fit the filter. */
  read(topic: string): TopicParts | undefined {
    const levels = topic.split("/");
    if (levels.length !== this.#levels.length) return undefined;
    const found: string[] = [];
    for (const [index, wanted] of this.#levels.entries()) {
      const level = levels[index] as string;
      if (wanted === "+") found.push(level);
      else if (wanted !== level) return undefined;
    }
    const [turbine, sensor] = found;
    if (turbine === undefined || !found.every(isFitName)) return undefined;
    return { turbine, sensor };
  }
}
