/**
 * Readings shown to clients that look on, at QoS 0, once they are on disk. A watcher must never cost the intake anything:
 * one whose socket waits misses what comes meanwhile, and what is copied for all of them together is bounded.
 */

import { covers, type Levels, levelsOf } from "./filters.ts";

/** Bytes that wait for the disk or are on their way to watchers; further readings are not shown until some have left. */
export const MAX_COPIED_BYTES = 8 * 1024 * 1024;
/** What a copy takes beside topic and payload, or small ones would weigh much more than their bytes. */
const COPY_OVERHEAD_BYTES = 256;
/** Subscriptions of one connection, and of all together. */
export const MAX_SUBSCRIPTIONS = 100;
export const MAX_ALL_SUBSCRIPTIONS = 1000;
/** Topics whose watchers are known without asking each. */
const MAX_KNOWN_TOPICS = 1024;
const PUBLISH_QOS_0 = 0x30;

export interface Watcher {
  /** True if the packet is on its way: `sent` is called once it has left or is lost. False for one that is behind. */
  show(packet: Buffer, sent: () => void): boolean;
}

/** A received publish as watchers will see it; given to `forward` or `release`, once. */
export interface Copy {
  readonly topic: string;
  readonly packet: Buffer;
  readonly bytes: number;
}

export class Watchers {
  readonly #filters = new Map<Watcher, Map<string, Levels>>();
  readonly #byTopic = new Map<string, readonly Watcher[]>();
  #subscriptions = 0;
  #bytes = 0;

  /** False where there is no room for one more. */
  add(watcher: Watcher, filter: string): boolean {
    const filters = this.#filters.get(watcher) ?? new Map<string, Levels>();
    if (filters.has(filter)) return true;
    if (filters.size >= MAX_SUBSCRIPTIONS || this.#subscriptions >= MAX_ALL_SUBSCRIPTIONS) return false;
    this.#filters.set(watcher, filters.set(filter, levelsOf(filter)));
    this.#subscriptions++;
    this.#byTopic.clear();
    return true;
  }

  remove(watcher: Watcher, filter: string): void {
    const filters = this.#filters.get(watcher);
    if (!filters?.delete(filter)) return;
    if (filters.size === 0) this.#filters.delete(watcher);
    this.#subscriptions--;
    this.#byTopic.clear();
  }

  /** The connection is closed. */
  leave(watcher: Watcher): void {
    this.#subscriptions -= this.#filters.get(watcher)?.size ?? 0;
    if (this.#filters.delete(watcher)) this.#byTopic.clear();
  }

  /** Undefined where nobody subscribes to anything or too much is copied already. */
  copy(topic: string, payload: Uint8Array): Copy | undefined {
    if (this.#filters.size === 0) return undefined;
    const bytes = COPY_OVERHEAD_BYTES + Buffer.byteLength(topic) + payload.length;
    if (this.#bytes + bytes > MAX_COPIED_BYTES) return undefined;
    this.#bytes += bytes;
    return { topic, packet: publishPacket(topic, payload), bytes };
  }

  /** What was copied is stored. */
  forward(copy: Copy): void {
    this.release(copy);
    const { topic, packet, bytes } = copy;
    const left = () => this.release(copy);
    for (const watcher of this.#watchersOf(topic)) {
      if (this.#bytes + bytes > MAX_COPIED_BYTES) return;
      if (watcher.show(packet, left)) this.#bytes += bytes;
    }
  }

  /** The copy is not to be seen, or it has left. */
  release({ bytes }: Copy): void {
    this.#bytes -= bytes;
  }

  #watchersOf(topic: string): readonly Watcher[] {
    const known = this.#byTopic.get(topic);
    if (known !== undefined) return known;
    const levels = levelsOf(topic);
    const found = [...this.#filters].flatMap(([watcher, filters]) =>
      [...filters.values()].some((filter) => covers(filter, levels)) ? [watcher] : [],
    );
    if (this.#byTopic.size >= MAX_KNOWN_TOPICS) this.#byTopic.clear();
    this.#byTopic.set(topic, found);
    return found;
  }
}

function publishPacket(topic: string, payload: Uint8Array): Buffer {
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
