/**
 * Puts into the log what the counters alone would tell: messages that could not be understood, connections that were
 * closed. It compares snapshots, so a reading costs nothing; each reason is told when it first comes up and then, with
 * what has come together, once in a while.
 */

import type { Logger } from "pino";
import { countOf } from "../common/format.ts";
import { spoken } from "./reasons.ts";
import type { Snapshot } from "./snapshot.ts";

export interface WarningsDeps {
  snapshot: () => Snapshot;
  log: Logger;
  /** Between two looks, ms. Default 5 s. */
  everyMs?: number;
}

const EVERY_MS = 5000;
/** So long the same reason is not told again, ms. */
export const QUIET_MS = 5 * 60_000;

interface Told {
  count: number;
  atMs: number;
}

export class Warnings {
  readonly #deps: WarningsDeps;
  readonly #told = new Map<string, Told>();
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: WarningsDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#deps.everyMs ?? EVERY_MS).unref();
  }

  /** Tells what has not been told yet. */
  stop(): void {
    clearInterval(this.#timer);
    this.look(0);
  }

  look(quietMs = QUIET_MS): void {
    const { nowMs, validate, collect } = this.#deps.snapshot();
    const { log } = this.#deps;
    for (const [reason, more] of this.#news("reject", validate.rejected, nowMs, quietMs)) {
      const what = `${countOf(more, "message")} not understood: ${spoken(reason)}`;
      log.warn({ reason, count: more }, `${what}. Kept aside, see windfarm rejects.`);
    }
    // Towards an existing broker there is one connection, and the subscriber says itself why it ended.
    if (collect.mode === "connect") return;
    for (const [address, more] of this.#news("login", collect.refusedLogins, nowMs, quietMs)) {
      log.warn(
        { reason: "refused_login", address, count: more },
        `${countOf(more, "login")} refused from ${address}: ${spoken("refused_login")}.`,
      );
    }
    const { refused_login: _told, ...closed } = collect.closedConnections;
    for (const [reason, more] of this.#news("close", closed, nowMs, quietMs)) {
      log.warn(
        { reason, count: more },
        `${countOf(more, "connection")} closed by the agent: ${spoken(reason)}.`,
      );
    }
  }

  /** The reasons whose turn it is, with how often each has come up since it was told. */
  *#news(
    kind: string,
    counts: Readonly<Record<string, number>>,
    nowMs: number,
    quietMs: number,
  ): Generator<[reason: string, more: number]> {
    for (const [reason, count] of Object.entries(counts)) {
      const key = `${kind} ${reason}`;
      const told = this.#told.get(key);
      const more = count - (told?.count ?? 0);
      // A clock that went back must not silence anything.
      if (more <= 0 || (told !== undefined && Math.abs(nowMs - told.atMs) < quietMs)) continue;
      this.#told.set(key, { count, atMs: nowMs });
      yield [reason, more];
    }
  }
}
