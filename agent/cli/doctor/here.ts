/** What can be wrong on the gateway itself: its disk, its buffer, the sensors' port, the agent. */

import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { formatBytes } from "../../common/format.ts";
import type { AgentConfig } from "../../config/schema.ts";
import { codeOf, Fault, messageOf } from "../../errors.ts";
import { strangerBy } from "../own-agent.ts";
import { isListenable } from "../port-probe.ts";
import { probeRoom } from "../room-probe.ts";
import { askStatus, type Status } from "../status-client.ts";
import { type Finding, failed, note, ok, skipped } from "./finding.ts";

/** With less room than this SQLite's log can't grow, bytes. */
const LEAST_ROOM_BYTES = 8 * 1024 * 1024;

export function diskFinding({ buffer }: AgentConfig): Finding {
  const folder = existing(dirname(resolve(buffer.path)));
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    const freeBytes = bavail * bsize;
    if (freeBytes < LEAST_ROOM_BYTES) {
      const hint = "make room: df -h shows which disk, du -xh --max-depth=2 / what fills it";
      return failed(`The disk of ${folder} is full: ${formatBytes(freeBytes)} free`, hint);
    }
    if (files > 0 && ffree === 0) {
      return failed(
        `The disk of ${folder} has no inodes left`,
        "df -i; delete the folder with the many small files",
      );
    }
    accessSync(folder, constants.W_OK);
    const room = probeRoom(buffer);
    return room.ok ? ok(room.message) : note(room.message, room.hint);
  } catch (error) {
    return unwritable(folder, error);
  }
}

function unwritable(folder: string, error: unknown): Finding {
  switch (codeOf(error)) {
    case "EROFS": {
      const hint =
        "dmesg says why: a card that fails is mounted read-only; replace it, or remount: mount -o remount,rw";
      return failed(`The disk of ${folder} is read-only`, hint);
    }
    case "EACCES":
      return skipped(`This user may not look into ${folder}; run doctor with sudo`);
    default:
      return failed(`The disk of ${folder} can't be used: ${messageOf(error)}`, "look at the disk (dmesg)");
  }
}

function existing(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : existing(dirname(folder));
}

/** What answers at the configured page. */
export type Answering =
  | { who: "agent"; status: Status }
  | { who: "nobody"; fault: Fault }
  | { who: "another"; difference: string };

export async function whoAnswers(config: AgentConfig): Promise<Answering> {
  try {
    const { status } = await askStatus(config.status.url);
    const difference = await strangerBy(config, status);
    return difference === undefined ? { who: "agent", status } : { who: "another", difference };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { who: "nobody", fault: error };
  }
}

export function bufferFinding(answering: Answering): Finding {
  if (answering.who !== "agent")
    return skipped("Only the running agent knows; windfarm buffer verify looks without it");
  const { buffer, buffered, oldestBufferedSeconds } = answering.status;
  const { state, problem, usedBytes, maxBytes } = buffer;
  if (state === "storing") {
    const waits =
      buffered === 0
        ? "nothing waits"
        : `${buffered} readings wait, the oldest ${Math.round(oldestBufferedSeconds)} s`;
    const found = `The buffer stores, ${formatBytes(usedBytes)} of ${formatBytes(maxBytes)} used; ${waits}`;
    return buffer.recovered.length > 0 ? note(found, buffer.recovered.at(-1)) : ok(found);
  }
  if (state === "full") {
    const hint = "it empties by itself once readings leave: the checks below say what holds them up";
    return note(`The buffer is full: ${formatBytes(usedBytes)} of ${formatBytes(maxBytes)}`, hint);
  }
  return failed(`The buffer can't store: ${problem ?? state}`, "docs/RUNBOOK.md, and windfarm status");
}

/** The sensors' port, where nobody of ours has it. */
export async function portFinding({ mqtt }: AgentConfig, answering: Answering): Promise<Finding> {
  if (mqtt.listen === undefined) return skipped("Readings come from an existing broker");
  if (answering.who === "agent" && answering.status.collect.ready)
    return ok(`The agent listens on ${answering.status.collect.url}`);
  const outcome = await isListenable(mqtt.listen);
  if (outcome.ok) return ok(`${mqtt.listen.url} is free`);
  const { port } = mqtt.listen;
  const hint = `ss -ltnp 'sport = :${port}' names the other program, often mosquitto: stop it, or set another port in mqtt.listen`;
  const inUse = outcome.code === "EADDRINUSE";
  return inUse
    ? failed(`Another program has the sensors' port, ${mqtt.listen.url}`, hint)
    : failed(outcome.message, outcome.hint);
}

export function agentFinding({ status: { url } }: AgentConfig, answering: Answering): Finding {
  switch (answering.who) {
    case "agent":
      return ok(`The agent runs: ${answering.status.sentence}`);
    case "another":
      return failed(
        `Another agent answers at ${url}: ${answering.difference}`,
        "give each its own status.listen",
      );
    case "nobody": {
      const hint = "systemctl start windfarm; journalctl -u windfarm says why it ended";
      const { code, message } = answering.fault;
      return code === "status.not_running"
        ? failed(`The agent is not running: nothing answers at ${url}`, hint)
        : failed(message, answering.fault.hint);
    }
  }
}
