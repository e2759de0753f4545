/** The status server over a snapshot that moves as an agent's does, and that a test can bend. */

import { pino } from "pino";
import type { Test } from "tap";
import { LastProblems } from "../../../agent/observe/last-problems.ts";
import type { LiveSampler } from "../../../agent/observe/live.ts";
import type { Snapshot } from "../../../agent/observe/snapshot.ts";
import { createStatusServer } from "../../../agent/observe/status-server.ts";
import { LastSeen } from "../../../agent/validate/last-seen.ts";
import { liveOf } from "../../observe/sample-live.ts";
import { sampleSnapshot } from "../../observe/sample-snapshot.ts";

const PER_SECOND = 30;

export interface LiveAgent {
  url: string;
  port: number;
  /** Changes every snapshot from now on. */
  bend(change: (snapshot: Snapshot) => void): void;
  /** What its validator and its log remember. */
  seen: LastSeen;
  live: LiveSampler;
  problems: LastProblems;
  stop(): Promise<void>;
}

export async function startLiveAgent(t: Test, port = 0): Promise<LiveAgent> {
  const startedMs = Date.now();
  let bent: (snapshot: Snapshot) => void = () => {};
  const snapshot = () => {
    const nowMs = Date.now();
    const more = Math.floor(((nowMs - startedMs) / 1000) * PER_SECOND);
    const moved = sampleSnapshot({ nowMs, startedMs: startedMs - 60_000 });
    moved.received += more;
    moved.shipped += more;
    moved.validate = { ...moved.validate, accepted: { "Power Factor": 16_000 + more } };
    moved.ship.lastSuccessMs = nowMs - 400;
    bent(moved);
    return moved;
  };
  const seen = new LastSeen();
  const problems = new LastProblems();
  const live = liveOf(seen, Date.now, problems);
  const log = pino({ level: "error" });
  const listen = { host: "127.0.0.1", port };
  const server = createStatusServer({ listen, snapshot, live, log, sampleMs: 100 });
  await server.start();
  t.teardown(() => server.stop());
  const url = server.url() ?? "";
  return {
    url,
    seen,
    live,
    problems,
    port: Number(new URL(url).port),
    bend: (change) => {
      bent = change;
    },
    stop: () => server.stop(),
  };
}
