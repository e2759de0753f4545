/** Opens what the disk could hold after a power cut, and looks for every reading that had been acknowledged by then. */

import { join } from "node:path";
import pino from "pino";
import { openBuffer } from "../../../agent/buffer/open.ts";
import { Disk, FATES, type Fate } from "./disk.ts";
import { type Recording, readingId } from "./record.ts";

export interface Verdict {
  states: number;
  /** Of these, states in which some write was not yet synced. */
  unsyncedStates: number;
  /** Acknowledged readings checked for, over all states. */
  checked: number;
  /** States in which an acknowledged reading was missing, and the most missing in one. */
  losing: number;
  mostLost: number;
  /** What the buffer said of the file it found, with dates and names taken out, and how often. */
  said: Record<string, number>;
}

const PUBACK = 0x40;

/** Message ids of the PUBACKs in `data`, or nothing where it isn't made of them. */
export function acknowledgedIn(data: Buffer): number[] {
  if (data.length === 0 || data.length % 4 !== 0) return [];
  const ids: number[] = [];
  for (let at = 0; at < data.length; at += 4) {
    if (data[at] !== PUBACK || data[at + 1] !== 2) return [];
    ids.push(data.readUInt16BE(at + 2));
  }
  return ids;
}

function idsIn(ndjson: Buffer): string[] {
  return ndjson
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => String((JSON.parse(line) as { id: unknown }).id));
}

/** Ids in the buffer, and what was said of its file. */
async function whatIsLeft(folder: string): Promise<{ ids: Set<string>; said: readonly string[] }> {
  const settings = {
    gateway: "gw-crash",
    maxBytes: 2 ** 31,
    onFull: "refuse",
    lingerMs: 0,
    rejectsMaxBytes: 1e6,
    ballastBytes: 0,
  } as const;
  const deps = { now: Date.now, log: pino({ level: "silent" }) };
  const buffer = openBuffer({ path: join(folder, "buffer.db"), ...settings }, deps);
  const ids = new Set<string>();
  const { recovered } = buffer.status();
  for (let groups = buffer.lease(2 ** 30); groups.length > 0; groups = buffer.lease(2 ** 30)) {
    for (const { groupKey, body } of groups) {
      for (const id of idsIn(body)) ids.add(id);
      buffer.settle(groupKey, { outcome: "delivered" });
    }
  }
  await buffer.close();
  return { ids, said: recovered };
}

/** Cuts the power at about `wanted` moments, spread over the trace, with every fate of what was not synced in turn. */
export async function replay(
  recording: Recording,
  folder: string,
  wanted: number,
  random: () => number,
): Promise<Verdict> {
  const verdict: Verdict = { states: 0, unsyncedStates: 0, checked: 0, losing: 0, mostLost: 0, said: {} };
  const disk = new Disk(random);
  const acknowledged = new Set<string>();
  const accepted = new Set<string>();
  const share = wanted / recording.ops.length;
  let due = 0;
  for (const op of recording.ops) {
    disk.apply(op);
    if (op.kind === "send" && op.to === recording.acceptedFile)
      for (const id of idsIn(op.data)) accepted.add(id);
    else if (op.kind === "send")
      for (const message of acknowledgedIn(op.data)) acknowledged.add(readingId(message));
    for (due += share; due >= 1; due--) {
      const fate = FATES[verdict.states % FATES.length] as Fate;
      disk.write(folder, fate);
      verdict.states++;
      if (disk.unsynced) verdict.unsyncedStates++;
      const { ids, said } = await whatIsLeft(folder);
      for (const sentence of said) {
        const plain = sentence.replace(/\S*\/\S*|[\d.]+/g, "…");
        verdict.said[plain] = (verdict.said[plain] ?? 0) + 1;
      }
      const lost = [...acknowledged].filter((id) => !accepted.has(id) && !ids.has(id)).length;
      verdict.checked += acknowledged.size;
      if (lost > 0) verdict.losing++;
      verdict.mostLost = Math.max(verdict.mostLost, lost);
    }
  }
  return verdict;
}
