// The buffer against what its senders were told: whatever happens in whatever order, what was acknowledged is there.
import { randomBytes } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { openBuffer } from "../../agent/buffer/open.ts";
import { inBalance } from "../../agent/buffer/state.ts";
import type { BufferSettings, Group, ReadingBuffer } from "../../agent/buffer/types.ts";
import { MemoryBuffer } from "./memory-buffer.ts";
import { head, linesOf, NOW, ownFolder, settingsIn, testLog } from "./setup.ts";

const QUOTA = 1024 * 1024;
const RUNS = 25;

/** What the senders and the cloud know. */
interface Model {
  acknowledged: Set<string>;
  rejects: number;
  /** Delivery → reading. */
  delivered: Map<string, string>;
  refused: Set<string>;
  out: Group[];
  nextId: number;
  /** The quota was reached. */
  filled: boolean;
}

interface Implementation {
  open(settings: BufferSettings, now: () => number): ReadingBuffer;
  /** What a power cut leaves, opened again. */
  crash(real: Real): Promise<void>;
}

interface Real {
  buffer: ReadingBuffer;
  settings: BufferSettings;
  clockMs: number;
  folders: () => string;
}

const log = testLog().log;

const IMPLEMENTATIONS: Record<string, Implementation> = {
  durable: {
    open: (settings, now) => openBuffer(settings, { now, log }),
    async crash(real) {
      const { settings, buffer } = real;
      const folder = real.folders();
      for (const part of ["", "-wal", ".lock"]) {
        const file = `${settings.path}${part}`;
        if (existsSync(file)) copyFileSync(file, join(folder, `buffer.db${part}`));
      }
      real.settings = { ...settings, path: join(folder, "buffer.db") };
      real.buffer = openBuffer(real.settings, { now: () => real.clockMs, log });
      // The process that died; nobody hears what it says in closing.
      await buffer.close();
    },
  },
  memory: {
    open: (settings) => new MemoryBuffer(settings),
    async crash(real) {
      if (real.buffer instanceof MemoryBuffer) real.buffer.restart();
    },
  },
};

abstract class Step implements fc.AsyncCommand<Model, Real> {
  abstract does(model: Model, real: Real): Promise<void> | void;
  abstract toString(): string;

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.does(model, real);
    const accounts = real.buffer.accounts();
    if (!inBalance(accounts)) throw new Error(`out of balance: ${JSON.stringify(accounts)}`);
    if (real.buffer.status().state === "full") model.filled = true;
    const told = model.acknowledged.size + model.rejects;
    if (accounts.received !== told) throw new Error(`${accounts.received} received, ${told} acknowledged`);
  }
}

class Append extends Step {
  readonly count: number;
  readonly bytes: number;
  readonly flush: boolean;
  constructor(count: number, bytes: number, flush: boolean) {
    super();
    this.count = count;
    this.bytes = bytes;
    this.flush = flush;
  }
  does(model: Model, real: Real): void {
    const buffer = real.buffer;
    for (let left = this.count; left > 0; left--) {
      const number = model.nextId++;
      const id = `${number}:${noise(number, this.bytes)}`;
      buffer.append(head(id), "T07", real.clockMs, 0, (error) => {
        // A dead process tells nobody anything.
        if (error == null && real.buffer === buffer) model.acknowledged.add(id);
      });
    }
    if (this.flush) buffer.flush();
  }
  toString(): string {
    return `append(${this.count} × ${this.bytes} bytes${this.flush ? ", flush" : ""})`;
  }
}

class Reject extends Step {
  does(model: Model, real: Real): void {
    const buffer = real.buffer;
    const rejection = {
      reason: "no_id" as const,
      detail: "no id",
      topic: "windfarm/T07/x",
      payload: Buffer.from("{}"),
      dup: false,
    };
    buffer.reject(rejection, real.clockMs, (error) => {
      if (error == null && real.buffer === buffer) model.rejects++;
    });
    buffer.flush();
  }
  toString(): string {
    return "reject";
  }
}

class Lease extends Step {
  readonly bytes: number;
  constructor(bytes: number) {
    super();
    this.bytes = bytes;
  }
  does(model: Model, real: Real): void {
    const groups = real.buffer.lease(this.bytes);
    for (const group of groups) {
      if (model.out.some(({ groupKey }) => groupKey === group.groupKey)) throw new Error("leased twice");
      if (linesOf(group.body).length !== group.count) throw new Error("a group with another count");
    }
    model.out.push(...groups);
  }
  toString(): string {
    return `lease(${this.bytes})`;
  }
}

class Settle extends Step {
  readonly pick: number;
  readonly outcome: "delivered" | "again" | "refused";
  constructor(pick: number, outcome: "delivered" | "again" | "refused") {
    super();
    this.pick = pick;
    this.outcome = outcome;
  }
  does(model: Model, real: Real): void {
    const [group] = model.out.splice(this.pick % Math.max(1, model.out.length), 1);
    if (group === undefined) return;
    if (this.outcome === "delivered") deliver(model, group);
    if (this.outcome === "refused") for (const { id } of linesOf(group.body)) model.refused.add(id);
    const { outcome } = this;
    real.buffer.settle(group.groupKey, outcome === "refused" ? { outcome, detail: "refused" } : { outcome });
  }
  toString(): string {
    return `settle(${this.pick}, ${this.outcome})`;
  }
}

class Flush extends Step {
  does(_model: Model, real: Real): void {
    real.buffer.flush();
  }
  toString(): string {
    return "flush";
  }
}

class Crash extends Step {
  readonly implementation: Implementation;
  constructor(implementation: Implementation) {
    super();
    this.implementation = implementation;
  }
  async does(model: Model, real: Real): Promise<void> {
    await this.implementation.crash(real);
    model.out = [];
  }
  toString(): string {
    return "crash";
  }
}

class Reopen extends Step {
  readonly implementation: Implementation;
  constructor(implementation: Implementation) {
    super();
    this.implementation = implementation;
  }
  async does(model: Model, real: Real): Promise<void> {
    if (real.buffer instanceof MemoryBuffer) {
      real.buffer.flush();
      real.buffer.restart();
    } else {
      await real.buffer.close();
      real.buffer = this.implementation.open(real.settings, () => real.clockMs);
    }
    model.out = [];
  }
  toString(): string {
    return "reopen";
  }
}

class JumpClock extends Step {
  readonly ms: number;
  constructor(ms: number) {
    super();
    this.ms = ms;
  }
  does(_model: Model, real: Real): void {
    real.clockMs += this.ms;
  }
  toString(): string {
    return `clock(${this.ms} ms)`;
  }
}

const NOISE = randomBytes(150_000).toString("base64url");

/** Text that deflates badly, so that a few readings fill a small buffer. */
function noise(seed: number, bytes: number): string {
  const start = (seed * 4241) % (NOISE.length - bytes);
  return NOISE.slice(start, start + bytes);
}

function deliver(model: Model, group: Group): void {
  for (const { epoch, seq, id } of linesOf(group.body)) {
    const known = model.delivered.get(`${epoch} ${seq}`);
    if (known !== undefined && known !== id) throw new Error(`seq ${seq} was given to two readings`);
    model.delivered.set(`${epoch} ${seq}`, id);
  }
}

function commands(implementation: Implementation) {
  const outcome = fc.constantFrom("delivered", "delivered", "delivered", "again", "refused");
  return fc.commands(
    [
      fc
        .tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom(5, 200), fc.boolean())
        .map((args) => new Append(...args)),
      fc
        .tuple(fc.integer({ min: 20, max: 60 }), fc.constant(5000), fc.constant(true))
        .map((args) => new Append(...args)),
      fc.constant(new Reject()),
      fc.constantFrom(1, 10_000, 1_000_000).map((bytes) => new Lease(bytes)),
      fc.tuple(fc.nat(50), outcome).map((args) => new Settle(...args)),
      fc.tuple(fc.nat(50), outcome).map((args) => new Settle(...args)),
      fc.constant(new Flush()),
      fc.constant(new Crash(implementation)),
      fc.constant(new Reopen(implementation)),
      fc.constantFrom(-3_600_000, 50, 86_400_000).map((ms) => new JumpClock(ms)),
    ],
    { maxCommands: 50, size: "max" },
  );
}

for (const [name, implementation] of Object.entries(IMPLEMENTATIONS)) {
  for (const onFull of ["refuse", "drop_oldest"] as const) {
    t.test(
      `${name} buffer, ${onFull}: nothing acknowledged is missing, nothing has two readings' seq`,
      async (t) => {
        const top = ownFolder(t);
        let made = 0;
        let fills = 0;
        const folders = () => {
          const folder = join(top, String(made++));
          mkdirSync(folder);
          return folder;
        };
        const property = fc.asyncProperty(
          commands(implementation),
          fc.boolean(),
          async (steps, fillFirst) => {
            const settings = settingsIn(folders(), { maxBytes: QUOTA, onFull, lingerMs: 20 });
            const real: Real = { settings, clockMs: NOW, folders, buffer: new MemoryBuffer(settings) };
            real.buffer = implementation.open(settings, () => real.clockMs);
            const model: Model = {
              acknowledged: new Set(),
              rejects: 0,
              delivered: new Map(),
              refused: new Set(),
              out: [],
              nextId: 0,
              filled: false,
            };
            try {
              for (let left = fillFirst ? 4 : 0; left > 0; left--)
                await new Append(100, 5000, true).run(model, real);
              await fc.asyncModelRun(() => ({ model, real }), steps);
              if (model.filled) fills++;
              deliverAll(model, real);
              const arrived = new Set([...model.delivered.values(), ...model.refused]);
              const missing = [...model.acknowledged].filter((id) => !arrived.has(id)).length;
              const { dropped, buffered } = real.buffer.accounts();
              if (missing > dropped)
                throw new Error(`${missing} acknowledged readings are missing, ${dropped} were dropped`);
              if (buffered !== 0) throw new Error(`${buffered} readings can't be leased`);
            } finally {
              await real.buffer.close();
            }
          },
        );
        await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
        if (name === "durable") t.ok(fills > 0, `the quota was reached in ${fills} runs`);
      },
    );
  }
}

function deliverAll(model: Model, real: Real): void {
  for (const { groupKey } of model.out.splice(0)) real.buffer.settle(groupKey, { outcome: "again" });
  for (let idle = 0; idle < 3; ) {
    const groups = real.buffer.lease(1e7);
    for (const group of groups) {
      deliver(model, group);
      real.buffer.settle(group.groupKey, { outcome: "delivered" });
    }
    real.buffer.flush();
    idle = groups.length === 0 ? idle + 1 : 0;
  }
}
