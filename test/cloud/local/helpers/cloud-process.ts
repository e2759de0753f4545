/** The local cloud as its own process, as `npm run cloud` starts it. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Test } from "tap";
import { z } from "zod";
import { plainNode } from "../../../helpers/node.ts";

const Status = z.looseObject({
  kinesisPid: z.number(),
  deliveredReadings: z.number(),
  rawObjects: z.number(),
  lakeReadings: z.number(),
  duplicates: z.number(),
  rejects: z.number(),
  rejectReasons: z.record(z.string(), z.number()),
  epochs: z.array(z.unknown()),
  lag: z.looseObject({ none: z.boolean() }),
});

export interface RunningCloud {
  process: ChildProcess;
  kinesis: string;
  control: string;
  status(): Promise<z.infer<typeof Status>>;
  flush(): Promise<z.infer<typeof Status>>;
  /** SIGTERM; its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Resolves when it prints that it is ready; rejects with what it said when it ends before. */
export async function startCloud(t: Test, data: string, ...options: string[]): Promise<RunningCloud> {
  const fixed = ["--data", data, "--port", "0", "--control-port", "0", "--log-level", "error"];
  const child = spawn(...plainNode(["dist/cloud.js", ...fixed, ...options]), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const line = await Promise.race([
    new Promise<string>((resolve) => {
      createInterface({ input: child.stdout }).on(
        "line",
        (text) => text.startsWith("ready ") && resolve(text),
      );
    }),
    ended.then((code) => {
      throw new Error(`the cloud ended with ${code} before it was ready: ${said}`);
    }),
  ]);
  const [, kinesis = "", control = ""] = /kinesis=(\S+) control=(\S+)/.exec(line) ?? [];
  const ask = async (method: string, path: string) => {
    const answer = await fetch(`${control}${path}`, { method });
    if (!answer.ok) throw new Error(await answer.text());
    return Status.parse(await answer.json());
  };
  const signal = (name: NodeJS.Signals) => {
    child.kill(name);
    return ended;
  };
  return {
    process: child,
    kinesis,
    control,
    status: () => ask("GET", "/_local/status"),
    flush: () => ask("POST", "/_local/flush"),
    stop: () => signal("SIGTERM"),
    kill: async () => {
      await signal("SIGKILL");
    },
  };
}
