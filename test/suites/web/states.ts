/** The conditions an operator may find an agent in, each with the words the agent itself has for it. */

import { type Flow, sentenceFor } from "../../../agent/observe/sentence.ts";
import type { Snapshot } from "../../../agent/observe/snapshot.ts";
import type { LiveAgent } from "./live-agent.ts";

export type Bend = (snapshot: Snapshot) => void;

const BUSY: Flow = { receivedPerSecond: 30, shippedPerSecond: 30 };

/** The state and the sentence that follow from the rest. */
function say(snapshot: Snapshot, flow: Partial<Flow> = {}): void {
  const known = { ...BUSY, lastReceivedMs: snapshot.nowMs, ...flow };
  Object.assign(snapshot, sentenceFor({ ...snapshot, phase: "running", flow: known }));
}

function backlog(snapshot: Snapshot, readings: number, seconds: number): void {
  snapshot.buffered += readings;
  snapshot.shipped -= readings;
  snapshot.oldestBufferedSeconds = seconds;
  snapshot.buffer.usedBytes = readings * 210;
}

function refused(
  snapshot: Snapshot,
  lastError: Omit<NonNullable<Snapshot["ship"]["lastError"]>, "atMs">,
): void {
  snapshot.ship.lastSuccessMs = snapshot.nowMs - 720_000;
  snapshot.ship.lastError = { ...lastError, atMs: snapshot.nowMs - 8000 };
  snapshot.ship.backoffSeconds = 12;
}

export const outage: Bend = (snapshot) => {
  backlog(snapshot, 43_007, 720);
  refused(snapshot, {
    code: "ship.refused",
    message: "the endpoint refuses the connection",
    cause: "connection refused",
    hint: "Nothing is listening there: check kinesis.endpoint and the firewall, or start the local cloud.",
  });
  say(snapshot);
};

export const STATES: Readonly<Record<string, Bend>> = {
  delivering: (snapshot) => {
    snapshot.buffer.lastsSeconds = 9 * 86_400;
    snapshot.usage = {
      link: { totalBytes: 4_000_000, todayBytes: 3_000_000, monthBytes: 90_000_000 },
      disk: { totalBytes: 9_000_000, todayBytes: 8_000_000, monthBytes: 240_000_000 },
    };
    snapshot.ship.newestShippedMs = snapshot.nowMs - 2000;
    snapshot.collect.refusedLogins = { "10.0.0.7": 12 };
    const board = { throttled: [], clockSynchronised: true, memoryFreeBytes: 5e8, memoryTotalBytes: 9.7e8 };
    const certificates = [{ use: "AWS IoT", endsMs: snapshot.nowMs + 20 * 86_400_000 }];
    Object.assign(snapshot.health, board, { certificates });
  },
  "catching-up": (snapshot) => {
    backlog(snapshot, 41_900, 9000);
    say(snapshot, { shippedPerSecond: 900 });
  },
  "link-down": outage,
  "credentials-expired": (snapshot) => {
    backlog(snapshot, 12_400, 410);
    refused(snapshot, {
      code: "ship.credentials_expired",
      message: "the AWS credentials have expired",
      cause: "credentials expired",
      hint: "Renew the session; the agent can't renew temporary credentials that are configured as static ones.",
    });
    say(snapshot);
  },
  "disk-full": (snapshot) => {
    snapshot.buffer.state = "disk_full";
    snapshot.buffer.problem = "the disk of /var/lib/windfarm is full";
    snapshot.health.diskFreeBytes = 0;
    snapshot.collect.ready = false;
    say(snapshot);
  },
  "buffer-damaged": (snapshot) => {
    snapshot.buffer.salvagedReadings = 8120;
    snapshot.buffer.recovered = [
      "buffer.db was damaged; it was set aside as buffer.db.damaged-2026-11-22T11-00-00Z, and 8120 readings were saved from it.",
      "3 groups could not be read; at most 270 readings are lost.",
    ];
    snapshot.buffer.aside = [
      { file: "buffer.db.damaged-2026-11-22T11-00-00Z", bytes: 7_340_032, state: "incomplete" },
    ];
    say(snapshot);
  },
  "nothing-received": (snapshot) => {
    Object.assign(snapshot, { received: 0, shipped: 0, buffered: 0, rejected: 0, oldestBufferedSeconds: 0 });
    snapshot.validate = { ...snapshot.validate, accepted: {}, outOfRange: {}, rejected: {} };
    snapshot.collect.connections = 0;
    delete snapshot.ship.lastSuccessMs;
    Object.assign(snapshot.ship, { requests: 0, records: 0, readings: 0, bytes: 0 });
    Object.assign(snapshot.buffer, { commits: 0, committedReadings: 0, usedBytes: 0, rejectsKept: 0 });
    Object.assign(
      snapshot,
      sentenceFor({ ...snapshot, phase: "running", flow: { receivedPerSecond: 0, shippedPerSecond: 0 } }),
    );
  },
};

/** Three turbines as they look after a minute, two refused messages, and what the log told. */
export function fill({ seen, live, problems }: LiveAgent): void {
  for (let second = 0; second < 60; second++) {
    for (const [index, turbine] of ["T01", "T02", "T03"].entries()) {
      seen.take(turbine, "Power Factor", 0.985 + 0.008 * Math.sin(second / 7 + index), true);
      seen.take(turbine, "Temperature Battery", 23 + index + Math.sin(second / 19), true);
      const pressure = index === 1 && second % 23 === 7 ? 431 : 76 + 2 * Math.sin(second / 4 + index);
      seen.take(turbine, "Hydraulic Pressure", pressure, pressure <= 400);
    }
    live.sample();
  }
  const topic = "windfarm/T03/power-factor";
  const payload = Buffer.from('{"id":"PP_7","data":0.9');
  seen.refuse({ reason: "not_json", detail: `the payload is not JSON: ${payload}` }, topic, payload);
  const other = Buffer.from('{"id":"PP_8","data":0.91,"date":"31/02/2026"}');
  seen.refuse({ reason: "no_date", detail: 'no date that can be read: "31/02/2026"' }, topic, other);
  const message = "4 messages not understood: not JSON. Kept aside, see windfarm rejects.";
  problems.add(Date.now() - 400_000, "warn", { reason: "not_json" }, message);
  const err = {
    code: "mqtt.users_file",
    message: "line 7 has no password",
    hint: "windfarm check names every line that is wrong.",
  };
  problems.add(Date.now() - 90_000, "error", { err }, "the users file was not read again");
}
