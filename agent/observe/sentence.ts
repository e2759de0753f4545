/** The one plain sentence an operator reads first, and the state it stands for. Pure: the same inputs, the same words. */

import { countOf, formatBytes, formatCount, formatSeconds } from "../common/format.ts";
import type { AgentState, Snapshot } from "./snapshot.ts";

/** What the sentence is made from: parts of a snapshot, the agent's phase, and how things have been flowing. */
export interface SentenceInputs
  extends Pick<Snapshot, "startedMs" | "nowMs" | "buffered" | "dropped" | "oldestBufferedSeconds"> {
  phase: "starting" | "running" | "stopping";
  buffer: Pick<Snapshot["buffer"], "state" | "problem" | "onFull" | "usedBytes" | "maxBytes">;
  ship: Pick<Snapshot["ship"], "backoffSeconds" | "lastSuccessMs" | "lastError" | "newestShippedMs">;
  flow: Flow;
}

/** What a `FlowMeter` knows. */
export interface Flow {
  receivedPerSecond: number;
  shippedPerSecond: number;
  /** When readings last came in, ms since 1970; undefined where none has since the agent started. */
  lastReceivedMs?: number;
}

export interface Sentence {
  state: AgentState;
  sentence: string;
}

/** No reading for this long is worth telling. Sensors in the field speak once a minute. */
export const IDLE_AFTER_MS = 2 * 60_000;
/** A reading may wait this long, a retry included, before anyone need know. */
export const TROUBLE_AFTER_SECONDS = 5;
/** Below this backlog, how long the room will last can't be told well. */
const FORECAST_READINGS = 10_000;
const MAX_CAUSE_LENGTH = 160;

export function sentenceFor(inputs: SentenceInputs): Sentence {
  if (inputs.phase === "starting") return { state: "starting", sentence: "Starting." };
  if (inputs.phase === "stopping") return { state: "stopping", sentence: `Stopping: ${safeOnDisk(inputs)}.` };
  if (inputs.buffer.state === "failed") return { state: "failed", sentence: failed(inputs) };
  if (inputs.buffer.state === "disk_full") return { state: "full", sentence: diskFull(inputs) };
  if (inputs.buffer.state === "full") return { state: "full", sentence: full(inputs) };
  if (isShippingInTrouble(inputs)) return { state: "buffering", sentence: buffering(inputs) };
  if (isQuiet(inputs)) return { state: "idle", sentence: idle(inputs) };
  return { state: "delivering", sentence: delivering(inputs) };
}

function failed({ buffer, buffered }: SentenceInputs): string {
  const kept =
    buffered > 0
      ? ` ${countOf(buffered, "reading")} on disk wait${Math.round(buffered) === 1 ? "s" : ""}.`
      : "";
  return `Failed: ${cause(buffer.problem ?? "the disk refuses to store readings")}; nothing is acknowledged.${kept}`;
}

function diskFull(inputs: SentenceInputs): string {
  const why = cause(inputs.buffer.problem ?? "the disk has no room left");
  return `Full: ${why}; nothing is acknowledged until there is room. ${capital(safeOnDisk(inputs))}.${blame(inputs)}`;
}

function full(inputs: SentenceInputs): string {
  const { buffer, dropped } = inputs;
  const [used, most] = [formatBytes(buffer.usedBytes), formatBytes(buffer.maxBytes)];
  const holds = `the buffer has used ${used === most ? "" : `${used} of `}its ${most}`;
  const policy =
    buffer.onFull === "refuse"
      ? "sensors keep their readings until there is room"
      : `the oldest readings make room for new ones, ${formatCount(dropped)} dropped so far`;
  return `Full: ${holds}; ${policy}.${blame(inputs)}`;
}

function buffering(inputs: SentenceInputs): string {
  const room = roomSeconds(inputs);
  const lasting = room === undefined ? "" : `, room for about ${formatSeconds(room)}`;
  return `Buffering: ${silence(inputs)}; ${safeOnDisk(inputs)}${lasting}.`;
}

function idle({ nowMs, startedMs, buffered, flow }: SentenceInputs): string {
  const waiting =
    buffered > 0 ? ` ${countOf(buffered, "reading")} ${verb(buffered)} on the way to Kinesis.` : "";
  if (flow.lastReceivedMs === undefined) {
    return `Idle: no reading has arrived since the agent started ${formatSeconds((nowMs - startedMs) / 1000)} ago.${waiting}`;
  }
  return `Idle: no reading has arrived for ${formatSeconds((nowMs - flow.lastReceivedMs) / 1000)}.${waiting}`;
}

function delivering({ oldestBufferedSeconds, buffered, flow, ship, nowMs }: SentenceInputs): string {
  if (oldestBufferedSeconds < 60) return `Delivering, ${formatSeconds(oldestBufferedSeconds)} behind.`;
  const liveSeconds = (nowMs - (ship.newestShippedMs ?? Number.NEGATIVE_INFINITY)) / 1000;
  const behind =
    liveSeconds < 60
      ? `Delivering, live readings ${formatSeconds(Math.max(0, liveSeconds))} behind, the oldest ${formatSeconds(oldestBufferedSeconds)}`
      : `Delivering, ${formatSeconds(oldestBufferedSeconds)} behind`;
  const gain = flow.shippedPerSecond - flow.receivedPerSecond;
  const left = gain > 0 ? `, caught up in about ${formatSeconds(Math.max(1, buffered / gain))}` : "";
  return `${behind}: ${countOf(buffered, "reading")} to go${left}.`;
}

/** Kinesis' last word was no, and a reading has waited for longer than a retry takes. */
function isShippingInTrouble({ ship, oldestBufferedSeconds, buffered }: SentenceInputs): boolean {
  if (ship.lastError === undefined || buffered === 0 || oldestBufferedSeconds < TROUBLE_AFTER_SECONDS)
    return false;
  return ship.lastSuccessMs === undefined || ship.lastError.atMs > ship.lastSuccessMs;
}

function isQuiet({ flow, nowMs, oldestBufferedSeconds }: SentenceInputs): boolean {
  if (oldestBufferedSeconds >= 60) return false;
  return flow.lastReceivedMs === undefined || nowMs - flow.lastReceivedMs >= IDLE_AFTER_MS;
}

/** "Kinesis has taken nothing for 12 min (connection refused)". An outage is no older than what waits because of it. */
function silence({ ship, startedMs, nowMs, oldestBufferedSeconds }: SentenceInputs): string {
  const since = (nowMs - (ship.lastSuccessMs ?? startedMs)) / 1000;
  const lasting = formatSeconds(Math.min(since, oldestBufferedSeconds));
  const why =
    ship.lastError === undefined ? "" : ` (${cause(ship.lastError.cause ?? ship.lastError.message)})`;
  return `Kinesis has taken nothing for ${lasting}${why}`;
}

function blame(inputs: SentenceInputs): string {
  return isShippingInTrouble(inputs) ? ` ${silence(inputs)}.` : "";
}

function safeOnDisk({ buffered }: SentenceInputs): string {
  if (buffered === 0) return "no reading waits";
  return `${countOf(buffered, "reading")} ${verb(buffered)} safe on disk`;
}

/** Seconds until the buffer is full at the present rate; undefined where it can't be told. */
function roomSeconds({ buffer, buffered, flow }: SentenceInputs): number | undefined {
  if (buffered < FORECAST_READINGS || flow.receivedPerSecond <= 0) return undefined;
  const bytesPerReading = buffer.usedBytes / buffered;
  return Math.max(0, buffer.maxBytes - buffer.usedBytes) / (bytesPerReading * flow.receivedPerSecond);
}

/** A message as part of a sentence: one line, no final stop, not too long. */
function cause(message: string): string {
  const line = message.replace(/\s+/g, " ").trim().replace(/\.$/, "");
  return line.length > MAX_CAUSE_LENGTH ? `${line.slice(0, MAX_CAUSE_LENGTH - 1)}…` : line;
}

function verb(count: number): string {
  return Math.round(count) === 1 ? "is" : "are";
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
