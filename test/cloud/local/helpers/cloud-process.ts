/** The local cloud as its own process, as `npm run cloud` starts it. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { CloudStatus } from "../../../../cloud/local/cloud.ts";

export interface RunningCloud {
  process: ChildProcess;
  kinesis: string;
  control: string;
  status(): Promise<CloudStatus>;
  flush(): Promise<CloudStatus>;
  /** SIGTERM; its exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

/** Resolves when it prints that it is ready. */
export async function startCloud(data: string, ...options: string[]): Promise<RunningCloud> {
  const ports = ["--port", "0", "--control-port", "0"].filter(
    (_, index) => !options.includes("--port") || index > 1,
  );
  const child = spawn(
    process.execPath,
    ["dist/cloud.js", "--data", data, "--log-level", "warn", ...ports, ...options],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const line = await readyLine(child, ended);
  const [, kinesis = "", control = ""] = /kinesis=(\S+) control=(\S+)/.exec(line) ?? [];
  const ask = async (method: string, path: string): Promise<CloudStatus> => {
    const answer = await fetch(`${control}${path}`, { method });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as CloudStatus;
  };
  const signal = async (name: NodeJS.Signals) => {
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
    kill: async () => void (await signal("SIGKILL")),
  };
}

function readyLine(child: ChildProcess, ended: Promise<number | null>): Promise<string> {
  return new Promise((resolve, reject) => {
    ended.then((code) => reject(new Error(`the cloud ended with ${code} before it was ready`)));
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("ready ")) resolve(line);
    });
  });
}
