/** What a topic says of a reading, found once for the topics of a gateway's own sensors. */

import { Remembered } from "../common/remembered.ts";
import type { Sensor, SensorCatalog } from "../contract/sensors.ts";
import type { TopicReader } from "../contract/topics.ts";

export interface KnownTopic {
  turbine: string;
  slug: string | undefined;
  sensor: Sensor | undefined;
}

export class KnownTopics {
  readonly #reader: TopicReader;
  readonly #catalog: SensorCatalog;
  readonly #topics = new Remembered<KnownTopic | null>((topic) => this.#read(topic));

  constructor(reader: TopicReader, catalog: SensorCatalog) {
    this.#reader = reader;
    this.#catalog = catalog;
  }

  /** Null for a topic that doesn't fit the filter. */
  find(topic: string): KnownTopic | null {
    return this.#topics.get(topic);
  }

  #read(topic: string): KnownTopic | null {
    const parts = this.#reader.read(topic);
    if (parts === undefined) return null;
    const { turbine, sensor: slug } = parts;
    return { turbine, slug, sensor: slug === undefined ? undefined : this.#catalog.find(slug) };
  }
}
