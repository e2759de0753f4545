/** How long a client may take for what: the clocks of one connection, all of them monotonic, and the one that has run out. */

import type { CloseReason, TimeLimits } from "./closing.ts";

/** A packet that has begun must be complete after this. */
export const PACKET_TIMEOUT_MS = 30_000;
/** A client for which something waits to be sent must have taken it all after this, whenever more than a little waits. */
export const UNREAD_TIMEOUT_MS = 10_000;
/** A client that is held gets a sign of life this often where it asked for no keep-alive. */
const SIGN_MS = 30_000;

/** What a connection is doing while its clocks are looked at. */
export interface Doing {
  /** Its CONNECT is not accepted yet. */
  pending: boolean;
  /** Something waits to be sent. */
  unsent: boolean;
  /** It is not read, because what it sent can't be taken further. */
  held: boolean;
  /** Part of a packet is here, and not the rest. */
  partial: boolean;
}

export class Patience {
  /** Zero for none. */
  keepaliveMs = 0;
  readonly openedMs: number;
  #seenMs: number;
  #partialSinceMs: number;
  #unsentSinceMs: number | undefined;
  #signMs: number;

  constructor(nowMs: number) {
    this.openedMs = nowMs;
    this.#seenMs = nowMs;
    this.#partialSinceMs = nowMs;
    this.#signMs = nowMs;
  }

  /** Bytes came. */
  seen(nowMs: number): void {
    this.#seenMs = nowMs;
    this.#signMs = nowMs;
  }

  /** What is incomplete now began just now. */
  packetBegan(): void {
    this.#partialSinceMs = this.#seenMs;
  }

  /** It is read again: the silence before was ours. */
  readAgain(nowMs: number): void {
    this.seen(nowMs);
    this.packetBegan();
  }

  /** All that waited to be sent has left. */
  sent(): void {
    this.#unsentSinceMs = undefined;
  }

  exceeded(nowMs: number, limits: TimeLimits, doing: Doing): CloseReason | undefined {
    if (doing.pending) return nowMs - this.openedMs > limits.connectTimeoutMs ? "connect_timeout" : undefined;
    this.#unsentSinceMs = doing.unsent ? (this.#unsentSinceMs ?? nowMs) : undefined;
    if (nowMs - (this.#unsentSinceMs ?? nowMs) > UNREAD_TIMEOUT_MS) return "not_reading";
    // We paused reading, so the silence isn't the client's fault.
    if (doing.held) return undefined;
    if (doing.partial && nowMs - this.#partialSinceMs > PACKET_TIMEOUT_MS) return "packet_timeout";
    const silentMs = nowMs - this.#seenMs;
    if (this.keepaliveMs > 0 && silentMs > this.keepaliveMs * 1.5) return "keepalive_timeout";
    return silentMs > (limits.idleTimeoutMs ?? Number.POSITIVE_INFINITY) ? "idle_timeout" : undefined;
  }

  /** True, once for each interval, where a client that is held must hear from us or take us for dead. */
  owesSign(nowMs: number): boolean {
    const everyMs = this.keepaliveMs > 0 ? this.keepaliveMs / 2 : SIGN_MS;
    if (nowMs - this.#signMs < everyMs) return false;
    this.#signMs = nowMs;
    return true;
  }
}
