/** The status server over a snapshot that moves as an agent's does, and that a test can bend. */

import { pino } from "pino";
import type { Test } from "tap";
import type { Snapshot } from "../../../agent/observe/snapshot.ts";
import { createStatusServer } from "../../../agent/observe/status-server.ts";
import { sampleSnapshot } from "../../observe/sample-snapshot.ts";

const PER_SECOND = 30;

export interface LiveAgent {
  url: string;
  port: number;
  /** Changes every snapshot from now on. */
  bend(change: (snapshot: Snapshot) => void): void;
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
  const log = pino({ level: "error" });
  const server = createStatusServer({ listen: { host: "127.0.0.1", port }, snapshot, log, sampleMs: 100 });
  await server.start();
  t.teardown(() => server.stop());
  const url = server.url() ?? "";
  return {
    url,
    port: Number(new URL(url).port),
    bend: (change) => {
      bent = change;
    },
    stop: () => server.stop(),
  };
}

/** Kinesis refuses for twelve minutes. */
export function outage(snapshot: Snapshot): void {
  snapshot.state = "buffering";
  snapshot.sentence =
    "Buffering: Kinesis has taken nothing for 12 min (connection refused); 43 120 readings are safe on disk.";
  snapshot.buffered += 43_007;
  snapshot.shipped -= 43_007;
  snapshot.ship.lastSuccessMs = snapshot.nowMs - 720_000;
  snapshot.ship.lastError = {
    code: "ship.refused",
    message: "the endpoint refuses the connection",
    hint: "Start the local cloud.",
    atMs: snapshot.nowMs - 8000,
  };
  snapshot.ship.backoffSeconds = 12;
}
