/** When to try again, and whether another client uses our id. */

import type { EndReason } from "./subscriber-endings.ts";

/** What the policy must know of a connection that ended. */
export interface Attempt {
  reason: EndReason;
  /** The broker gave a reason of its own for closing. */
  explained: boolean;
  /** The broker had granted the subscription. */
  subscribed: boolean;
  /** From the socket's opening to its end, ms. */
  livedMs: number;
}

export interface Retry {
  delayMs: number;
  /**
   * Another client uses our id and the two throw each other out. `certain`: the broker said so, as MQTT 5 demands;
   * `likely`: it keeps closing good connections without a word, as mosquitto 2.0 does then. Told once for each fight.
   */
  rival?: "certain" | "likely";
}

const FIRST_DELAY_MS = 250;
/** While the broker can't be reached its queue fills: come back soon. */
const SOON_MS = 10_000;
/** Where only a human can help, or where a rival is. */
const LATER_MS = 60_000;
/** A subscription that lasted this long was no failure. */
const STEADY_MS = 30_000;
/** A session nobody took for this long ends a fight. */
const PEACE_MS = 5 * 60_000;
const STRIKES = { certain: 3, likely: 5 } as const;

const SOON: ReadonlySet<EndReason> = new Set([
  "unreachable",
  "connect_timeout",
  "closed_by_broker",
  "keepalive_timeout",
]);

export class RetryPolicy {
  readonly #random: () => number;
  #failures = 0;
  #strikes = 0;
  #told = false;

  /** `random`: in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** The delay before the next connection: doubling, half of it by chance, so that gateways don't come all at once. */
  next(attempt: Attempt): Retry {
    if (attempt.subscribed && attempt.livedMs >= STEADY_MS) this.#failures = 0;
    this.#failures++;
    this.#countStrike(attempt);
    const cap = SOON.has(attempt.reason) ? SOON_MS : LATER_MS;
    const delayMs = Math.max(
      this.#jittered(this.#failures, cap),
      this.#strikes < 2 ? 0 : this.#jittered(this.#strikes, LATER_MS),
    );
    const rival = attempt.reason === "taken_over" ? "certain" : "likely";
    if (this.#told || this.#strikes < STRIKES[rival]) return { delayMs };
    this.#told = true;
    return { delayMs, rival };
  }

  #countStrike({ reason, explained, subscribed, livedMs }: Attempt): void {
    if (livedMs >= PEACE_MS) {
      this.#strikes = 0;
      this.#told = false;
    }
    const closedForNothing = subscribed && reason === "closed_by_broker" && !explained;
    if (reason === "taken_over" || (closedForNothing && livedMs < PEACE_MS)) this.#strikes++;
    // A broker that is away is being restarted; a rival would leave it where it is.
    else if (reason === "unreachable") this.#strikes = 0;
  }

  #jittered(times: number, capMs: number): number {
    const full = Math.min(capMs, FIRST_DELAY_MS * 2 ** Math.min(times - 1, 20));
    return full / 2 + (full / 2) * this.#random();
  }
}
