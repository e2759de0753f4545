/** Starts the stub as a child process. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { z } from "zod";

const Counts = z.object({
  requests: z.number(),
  records: z.number(),
  readings: z.number(),
  bytes: z.number(),
  putUnits: z.number(),
  refusedRecords: z.number(),
  live: z.object({ readings: z.number(), slowestMs: z.number() }),
});
const Message = z.union([z.object({ endpoint: z.string() }), z.object({ counts: Counts })]);

export interface StubPlan {
  /** Shards with the service's limits. Default: it takes whatever comes, and does not look at it. */
  shards?: number;
  /** Share of the records that are throttled besides. */
  failing?: number;
}

export interface StubProcess {
  endpoint: string;
  /** What it has accepted so far. */
  counts(): Promise<z.infer<typeof Counts>>;
  stop(): Promise<void>;
}

/** `entry`: path of kinesis-stub-main.ts, seen from the working folder. */
export async function forkKinesisStub(
  plan: StubPlan = {},
  entry = "test/helpers/kinesis-stub-main.ts",
): Promise<StubProcess> {
  const folder = await mkdtemp(join(tmpdir(), "kinesis-stub-"));
  const outfile = join(folder, "stub.mjs");
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
  });
  const child = fork(outfile, [JSON.stringify(plan)], { execArgv: [] });
  const { endpoint } = z.object({ endpoint: z.string() }).parse(await message(child));
  return {
    endpoint,
    async counts() {
      child.send("counts");
      return z.object({ counts: Counts }).parse(await message(child)).counts;
    },
    async stop() {
      const exited = once(child, "exit");
      child.kill();
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function message(child: ChildProcess): Promise<z.infer<typeof Message>> {
  const [said] = await once(child, "message");
  return Message.parse(said);
}
