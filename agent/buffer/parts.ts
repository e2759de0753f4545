/** What a buffer is made of: the engine works with it, the schedule looks at it, the status shows it. */

import type { Logger } from "pino";
import type { CommitRule } from "./commit-rule.ts";
import type { Condition } from "./condition.ts";
import type { BufferFile } from "./file.ts";
import type { Leases } from "./leases.ts";
import type { PendingQueue } from "./pending.ts";
import type { Salvager } from "./salvage/salvager.ts";
import type { Timers } from "./timers.ts";
import type { BufferSettings } from "./types.ts";

export interface Parts {
  settings: BufferSettings;
  file: BufferFile;
  pending: PendingQueue;
  leases: Leases;
  condition: Condition;
  rule: CommitRule;
  salvager: Salvager;
  timers: Timers;
  log: Logger;
}
