/** What a topic says of a reading, found once for the topics of a gateway's own sensors. */

import type { Sensor, SensorCatalog } from "../contract/sensors.ts";
import type { TopicReader } from "../contract/topics.ts";

export interface KnownTopic {
  turbine: string;
  slug: string | undefined;
  sensor: Sensor | undefined;
}

/** Topics remembered, and their length: more than a gateway has, and no room for a client that invents one each time. */
export const MAX_KNOWN_TOPICS = 4096;
const MAX_REMEMBERED_LENGTH = 128;

export class KnownTopics {
  readonly #reader: TopicReader;
  readonly #catalog: SensorCatalog;
  readonly #topics = new Map<string, KnownTopic | null>();

  constructor(reader: TopicReader, catalog: SensorCatalog) {
    this.#reader = reader;
    this.#catalog = catalog;
  }

  /** Null for a topic that doesn't fit the filter. */
  find(topic: string): KnownTopic | null {
    const known = this.#topics.get(topic);
    if (known !== undefined) return known;
    const found = this.#read(topic);
    if (topic.length > MAX_REMEMBERED_LENGTH) return found;
    if (this.#topics.size >= MAX_KNOWN_TOPICS) this.#topics.clear();
    this.#topics.set(topic, found);
    return found;
  }

  #read(topic: string): KnownTopic | null {
    const parts = this.#reader.read(topic);
    if (parts === undefined) return null;
    const { turbine, sensor: slug } = parts;
    return { turbine, slug, sensor: slug === undefined ? undefined : this.#catalog.find(slug) };
  }
}
