/** What a reading costs a flash card: bytes that reach the block device below a journalled ext4. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { forkKinesisStub } from "../helpers/kinesis-stub-process.ts";
import { generateLoad } from "./generate.ts";
import { AgentProgram } from "./programs.ts";
import type { Bench, Figure } from "./report.ts";

const DISK_BYTES = 2 * 1024 ** 3;
const SECTOR_BYTES = 512;
/** In /sys/block/…/stat. */
const SECTORS_WRITTEN = 6;
/** By default; made after the start, and none of the readings' costs. */
const BALLAST_BYTES = 8 * 1024 ** 2;

interface Rate {
  what: string;
  perSecond?: number;
  /** The three connections send at the same moment, as a simulated turbine's sensors do, instead of evenly spread. */
  together?: boolean;
  linger?: string;
  seconds: { full: number; quick: number };
  goal: number;
}

const RATES: readonly Rate[] = [
  { what: "3 readings/s, evenly spread", perSecond: 3, seconds: { full: 600, quick: 30 }, goal: 3000 },
  {
    what: "3 readings/s, at the same moment",
    perSecond: 3,
    together: true,
    seconds: { full: 600, quick: 30 },
    goal: 3000,
  },
  { what: "30 readings/s, defaults", perSecond: 30, seconds: { full: 120, quick: 15 }, goal: 600 },
  { what: "full rate, defaults", seconds: { full: 20, quick: 5 }, goal: 60 },
  {
    what: "3 readings/s, commit_linger 0ms",
    perSecond: 3,
    linger: "0ms",
    seconds: { full: 300, quick: 30 },
    goal: 8000,
  },
];

/** A loop device with a file system of its own, mounted at `folder`. */
class LoopDisk {
  readonly folder: string;
  readonly #device: string;

  constructor(folder: string) {
    const image = join(folder, "image");
    this.folder = join(folder, "disk");
    mkdirSync(this.folder, { recursive: true });
    writeFileSync(image, "");
    truncateSync(image, DISK_BYTES);
    execFileSync("mkfs.ext4", ["-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", image]);
    this.#device = execFileSync("losetup", ["--find", "--show", image], { encoding: "utf8" }).trim();
    execFileSync("mount", [this.#device, this.folder]);
  }

  /** Written to the device since it was made, nothing held back. */
  writtenBytes(): number {
    execFileSync("sync", ["--file-system", this.folder]);
    const stat = readFileSync(`/sys/block/${basename(this.#device)}/stat`, "utf8")
      .trim()
      .split(/\s+/);
    return Number(stat[SECTORS_WRITTEN]) * SECTOR_BYTES;
  }

  remove(): void {
    spawnSync("umount", ["-l", this.folder]);
    spawnSync("losetup", ["--detach", this.#device]);
  }
}

function missing(): string | undefined {
  if (process.getuid?.() !== 0) return "a loop device needs root";
  for (const tool of ["mkfs.ext4", "losetup"])
    if (spawnSync(tool, ["-V"]).error !== undefined) return `${tool} is not installed`;
  return spawnSync("losetup", ["--find"]).status === 0 ? undefined : "there are no loop devices here";
}

async function measure(folder: string, rate: Rate, seconds: number): Promise<Figure> {
  const disk = new LoopDisk(folder);
  try {
    const stub = rate.perSecond === undefined ? undefined : await forkKinesisStub();
    const agent = await AgentProgram.start({
      folder: disk.folder,
      maxSize: "1GiB",
      ...(stub === undefined ? {} : { endpoint: stub.endpoint }),
      ...(rate.linger === undefined ? {} : { linger: rate.linger }),
    });
    const ballast = join(disk.folder, "buffer.db.ballast");
    while ((statSync(ballast, { throwIfNoEntry: false })?.size ?? 0) < BALLAST_BYTES)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const before = { ...(await agent.status()), bytes: disk.writtenBytes() };
    const { perSecond, together = false } = rate;
    const pace = perSecond === undefined ? {} : { perSecond, together };
    const connections = perSecond === undefined ? 20 : 3;
    await generateLoad({ port: agent.port, connections, window: 1000, seconds, bytes: 0, ...pace });
    const after = { ...(await agent.status()), bytes: disk.writtenBytes() };
    await agent.stop();
    await stub?.stop();
    return {
      what: `at the device a reading, ${rate.what}`,
      value: (after.bytes - before.bytes) / (after.received - before.received),
      unit: "B",
      goal: rate.goal,
      better: "less",
    };
  } finally {
    disk.remove();
  }
}

export const flash: Bench = {
  name: "flash",
  about: "bytes a reading at the block device, with the simulators' readings",
  async run(folder, { quick }) {
    const skipped = missing();
    if (skipped !== undefined) return { skipped };
    const figures: Figure[] = [];
    for (const [index, rate] of RATES.entries())
      figures.push(
        await measure(join(folder, String(index)), rate, quick ? rate.seconds.quick : rate.seconds.full),
      );
    return figures;
  },
};
