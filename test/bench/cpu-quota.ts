/** Holds programs to a part of one core, by a control group of its own; of either version of the kernel's interface. */

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../../agent/errors.ts";

const CGROUPS = "/sys/fs/cgroup";
const PERIOD_US = 100_000;

export class CpuQuota {
  /** Starts the rest of its arguments within the quota. */
  readonly command: readonly string[];
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.command = ["sh", "-c", `echo $$ > ${folder}/cgroup.procs && exec "$@"`, "sh"];
  }

  /** A quota of `percent` of one core; or why it can't be had. */
  static make(percent: number): CpuQuota | { skipped: string } {
    const quotaUs = (PERIOD_US * percent) / 100;
    const name = `windfarm-bench-${process.pid}`;
    try {
      const newer = existsSync(join(CGROUPS, "cgroup.controllers"));
      const folder = join(CGROUPS, newer ? "" : "cpu", name);
      if (newer) writeFileSync(join(CGROUPS, "cgroup.subtree_control"), "+cpu");
      mkdirSync(folder);
      if (newer) {
        writeFileSync(join(folder, "cpu.max"), `${quotaUs} ${PERIOD_US}`);
      } else {
        writeFileSync(join(folder, "cpu.cfs_period_us"), String(PERIOD_US));
        writeFileSync(join(folder, "cpu.cfs_quota_us"), String(quotaUs));
      }
      return new CpuQuota(folder);
    } catch (error) {
      return {
        skipped: `no CPU quota can be set here: ${messageOf(error)}; it takes root, and cgroups that may be written`,
      };
    }
  }

  /** What ran within it must have ended. */
  remove(): void {
    rmdirSync(this.#folder);
  }
}
