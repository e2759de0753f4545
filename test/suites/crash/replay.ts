/** Opens what the disk could hold after a power cut, and looks for every reading that had been acknowledged by then. */

import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import pino from "pino";
import { z } from "zod";
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
  /** Readings that left (were shipped) by then, looked for, over all states. */
  left: number;
  /** States in which an (epoch, seq) that had left belongs to another reading, or is given to the next one. */
  reusing: number;
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

const Line = z.object({ id: z.string(), epoch: z.string(), seq: z.number() });

interface Delivery {
  id: string;
  /** Epoch and seq. */
  identity: string;
}

function deliveriesIn(ndjson: Buffer): Delivery[] {
  const lines = ndjson
    .toString()
    .split("\n")
    .filter((line) => line !== "");
  return lines.map((line) => {
    const { id, epoch, seq } = Line.parse(JSON.parse(line));
    return { id, identity: `${epoch} ${seq}` };
  });
}

const NEXT = `{"id":"the next one","data":1,"type":"Power Factor","date":"2026-11-22T12:00:00.000Z"}`;

/** What is in the buffer, with one reading more that it takes now, and what was said of its file. */
async function whatIsLeft(
  folder: string,
  random: () => number,
): Promise<{ deliveries: Delivery[]; said: readonly string[] }> {
  const settings = {
    gateway: "gw-crash",
    maxBytes: 2 ** 31,
    onFull: "refuse",
    lingerMs: 0,
    rejectsMaxBytes: 1e6,
    ballastBytes: 0,
  } as const;
  const deps = { now: Date.now, log: pino({ level: "silent" }), random };
  const buffer = openBuffer({ path: join(folder, "buffer.db"), ...settings }, deps);
  const deliveries: Delivery[] = [];
  const { recovered } = buffer.status();
  buffer.append(Buffer.from(NEXT), "T00", Date.now(), 0, () => undefined);
  buffer.flush();
  for (let groups = buffer.lease(2 ** 30); groups.length > 0; groups = buffer.lease(2 ** 30)) {
    for (const { groupKey, body } of groups) {
      deliveries.push(...deliveriesIn(gunzipSync(body)));
      buffer.settle(groupKey, { outcome: "delivered" });
    }
  }
  await buffer.close();
  return { deliveries, said: recovered };
}

/** Cuts the power at about `wanted` moments, spread over the trace, with every fate of what was not synced in turn. */
export async function replay(
  recording: Recording,
  folder: string,
  wanted: number,
  random: () => number,
  epochs: () => number = Math.random,
): Promise<Verdict> {
  const verdict: Verdict = {
    states: 0,
    unsyncedStates: 0,
    checked: 0,
    losing: 0,
    mostLost: 0,
    left: 0,
    reusing: 0,
    said: {},
  };
  const disk = new Disk(random);
  const acknowledged = new Set<string>();
  const accepted = new Set<string>();
  /** Epoch and seq → the reading that left with it. */
  const left = new Map<string, string>();
  const share = wanted / recording.ops.length;
  let due = 0;
  for (const op of recording.ops) {
    disk.apply(op);
    if (op.kind === "send" && op.to === recording.acceptedFile)
      for (const { id, identity } of deliveriesIn(op.data)) {
        accepted.add(id);
        left.set(identity, id);
      }
    else if (op.kind === "send")
      for (const message of acknowledgedIn(op.data)) acknowledged.add(readingId(message));
    for (due += share; due >= 1; due--) {
      const fate = FATES[verdict.states % FATES.length] as Fate;
      disk.write(folder, fate);
      verdict.states++;
      if (disk.unsynced) verdict.unsyncedStates++;
      const { deliveries, said } = await whatIsLeft(folder, epochs);
      const ids = new Set(deliveries.map(({ id }) => id));
      verdict.left += left.size;
      if (deliveries.some(({ id, identity }) => (left.get(identity) ?? id) !== id)) verdict.reusing++;
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
