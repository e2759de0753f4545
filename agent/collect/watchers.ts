/**
 * Readings shown to clients that look on, at QoS 0, once they are on disk. A watcher must never cost the intake anything:
 * one whose socket waits misses what comes meanwhile, and all of them together hold a bounded number of bytes.
 */

import { covers } from "./filters.ts";

/** Bytes on their way to all watchers; further readings are not forwarded until some have left. */
export const MAX_FORWARDED_BYTES = 4 * 1024 * 1024;
/** Topics whose watchers are known without asking each. */
const MAX_KNOWN_TOPICS = 1024;
const PUBLISH_QOS_0 = 0x30;

export interface Watcher {
  /** True if the packet is on its way: `sent` is called once it has left or is lost. False for one that is behind. */
  show(packet: Buffer, sent: () => void): boolean;
}

export class Watchers {
  readonly #filters = new Map<Watcher, Set<string>>();
  readonly #byTopic = new Map<string, readonly Watcher[]>();
  #bytes = 0;

  /** Somebody subscribes to something. */
  get any(): boolean {
    return this.#filters.size > 0;
  }

  /** Subscriptions a connection has. */
  count(watcher: Watcher): number {
    return this.#filters.get(watcher)?.size ?? 0;
  }

  has(watcher: Watcher, filter: string): boolean {
    return this.#filters.get(watcher)?.has(filter) ?? false;
  }

  add(watcher: Watcher, filter: string): void {
    const filters = this.#filters.get(watcher) ?? new Set();
    this.#filters.set(watcher, filters.add(filter));
    this.#byTopic.clear();
  }

  remove(watcher: Watcher, filter: string): void {
    const filters = this.#filters.get(watcher);
    filters?.delete(filter);
    if (filters?.size === 0) this.#filters.delete(watcher);
    this.#byTopic.clear();
  }

  /** The connection is closed. */
  leave(watcher: Watcher): void {
    if (this.#filters.delete(watcher)) this.#byTopic.clear();
  }

  /** `payload` must stay as it is. */
  forward(topic: string, payload: Buffer): void {
    const watchers = this.#watchersOf(topic);
    if (watchers.length === 0) return;
    const packet = publishPacket(topic, payload);
    const left = () => {
      this.#bytes -= packet.length;
    };
    for (const watcher of watchers) {
      if (this.#bytes >= MAX_FORWARDED_BYTES) return;
      if (watcher.show(packet, left)) this.#bytes += packet.length;
    }
  }

  #watchersOf(topic: string): readonly Watcher[] {
    const known = this.#byTopic.get(topic);
    if (known !== undefined) return known;
    const found = [...this.#filters].flatMap(([watcher, filters]) =>
      [...filters].some((filter) => covers(filter, topic)) ? [watcher] : [],
    );
    if (this.#byTopic.size >= MAX_KNOWN_TOPICS) this.#byTopic.clear();
    this.#byTopic.set(topic, found);
    return found;
  }
}

function publishPacket(topic: string, payload: Buffer): Buffer {
  const name = Buffer.from(topic);
  const header = [PUBLISH_QOS_0];
  for (let rest = 2 + name.length + payload.length; ; rest >>>= 7) {
    if (rest < 0x80) {
      header.push(rest);
      break;
    }
    header.push((rest & 0x7f) | 0x80);
  }
  return Buffer.concat([Buffer.from([...header, name.length >> 8, name.length & 0xff]), name, payload]);
}
