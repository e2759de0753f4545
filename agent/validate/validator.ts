/** Bytes and a topic become a reading's head, or the reason why it can't. */

import { DateReader } from "../contract/dates.ts";
import { ReadingReader, type Refused, refuse } from "../contract/reading.ts";
import { DEFAULT_SENSORS, SENSOR_TYPES, type Sensor, SensorCatalog } from "../contract/sensors.ts";
import { encodeHead } from "../contract/shipped.ts";
import { TopicReader } from "../contract/topics.ts";
import { messageOf } from "../errors.ts";
import { FastLane } from "./fast-lane.ts";
import { type KnownTopic, KnownTopics } from "./known-topics.ts";
import { LastSeen } from "./last-seen.ts";

export interface ValidatorSettings {
  /** The topic filter, with `+` for the turbine and the sensor. */
  topic: string;
  /** IANA name, for dates without a zone. */
  timezone: string;
  sensors: readonly Sensor[];
}

/** A message understood. */
export interface Accepted {
  /** The fields up to the date as a JSON object, UTF-8 (contract/shipped.ts); valid until the next message. */
  head: Uint8Array;
  turbine: string;
  /** The producer named only a day. */
  day: boolean;
}

/** Messages since this process started, by canonical type or by reason. */
export interface ValidatorStats {
  accepted: Record<string, number>;
  outOfRange: Record<string, number>;
  rejected: Record<string, number>;
}

export class Validator {
  readonly lastSeen = new LastSeen();
  readonly #catalog: SensorCatalog;
  readonly #reader: ReadingReader;
  readonly #fast: FastLane;
  readonly #topics: KnownTopics;
  readonly #counts: {
    accepted: Map<string, number>;
    outOfRange: Map<string, number>;
    rejected: Map<string, number>;
  };

  /** Throws a RangeError for a filter, a time zone or aliases that can't be. */
  constructor(settings: ValidatorSettings) {
    const [first = DEFAULT_SENSORS[SENSOR_TYPES[0]], ...rest] = settings.sensors;
    this.#catalog = new SensorCatalog(settings.sensors);
    this.#reader = new ReadingReader(this.#catalog, new DateReader(settings.timezone));
    this.#topics = new KnownTopics(new TopicReader(settings.topic), this.#catalog);
    this.#fast = new FastLane([first, ...rest]);
    const zeros = () => new Map(settings.sensors.map(({ type }) => [type as string, 0]));
    this.#counts = { accepted: zeros(), outOfRange: zeros(), rejected: new Map() };
  }

  /** Never throws: a message that breaks the reader is set aside like any other, or its sender would send it for ever. */
  check(topic: string, payload: Uint8Array): Accepted | Refused {
    const verdict = this.#safely(topic, payload);
    if ("reason" in verdict) {
      bump(this.#counts.rejected, verdict.reason);
      this.lastSeen.refuse(verdict, topic, payload);
    }
    return verdict;
  }

  #safely(topic: string, payload: Uint8Array): Accepted | Refused {
    try {
      return this.#read(topic, payload);
    } catch (error) {
      return refuse("internal", `reading it failed: ${messageOf(error)}`);
    }
  }

  #read(topic: string, payload: Uint8Array): Accepted | Refused {
    const known = this.#topics.find(topic);
    if (known === null) return refuse("topic", "the topic doesn't fit the filter");
    if (this.#fast.read(payload, known.sensor)) {
      const { sensor, data } = this.#fast;
      const plausible = data >= sensor.plausible.min && data <= sensor.plausible.max;
      this.#count(known.turbine, sensor, data, plausible);
      return { head: this.#fast.head, turbine: known.turbine, day: false };
    }
    return this.#slow(known, payload);
  }

  stats(): ValidatorStats {
    const { accepted, outOfRange, rejected } = this.#counts;
    return {
      accepted: Object.fromEntries(accepted),
      outOfRange: Object.fromEntries(outOfRange),
      rejected: Object.fromEntries(rejected),
    };
  }

  #slow(known: KnownTopic, payload: Uint8Array): Accepted | Refused {
    const verdict = this.#reader.read(payload, { turbine: known.turbine, sensor: known.slug });
    if ("reason" in verdict) return verdict;
    this.#count(known.turbine, verdict.sensor, verdict.reading.data, verdict.plausible);
    return { head: Buffer.from(encodeHead(verdict.reading)), turbine: known.turbine, day: verdict.day };
  }

  #count(turbine: string, sensor: Sensor, data: number, plausible: boolean): void {
    this.lastSeen.take(turbine, sensor.type, data, plausible);
    bump(this.#counts.accepted, sensor.type);
    if (!plausible) bump(this.#counts.outOfRange, sensor.type);
  }
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
