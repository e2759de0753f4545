/** The built agent as a process of its own, collecting from a broker; and what it has in its buffer. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { pino } from "pino";
import { z } from "zod";
import { openBuffer } from "../../../agent/buffer/open.ts";
import { Program } from "../../helpers/program.ts";

const Status = z.object({
  received: z.number(),
  validate: z.object({ accepted: z.record(z.string(), z.number()) }),
});
const GATEWAY = "gw-suite";
const CLOCK_TICKS = 100;

export class Agent {
  readonly #folder: string;
  readonly #config: string;
  #program: Program | undefined;
  #status = "";

  /** Collects from the broker on `port`; its cloud can't be reached, so that all stays in the buffer. */
  constructor(folder: string, port: number, clientId = "windfarm-suite") {
    this.#folder = folder;
    this.#config = join(folder, `${clientId}.yaml`);
    const lines = [
      "version: 1",
      `gateway: { id: ${GATEWAY} }`,
      `mqtt: { connect: "mqtt://127.0.0.1:${port}", client_id: ${clientId} }`,
      `buffer: { path: ${this.#buffer}, max_size: 2GiB }`,
      "kinesis: { stream: none, region: us-east-1, endpoint: http://127.0.0.1:9 }",
      "status: { listen: http://127.0.0.1:0 }",
      "log: { level: info }",
    ];
    writeFileSync(this.#config, `${lines.join("\n")}\n`);
  }

  get #buffer(): string {
    return join(this.#folder, "buffer", "buffer.db");
  }

  get log(): string {
    return `${this.#program?.stdout}${this.#program?.stderr}`;
  }

  async start(): Promise<void> {
    this.#program = new Program("windfarm", ["run", "--config", this.#config]);
    await this.#program.says("subscribed to");
    const status = /"status":"(http:[^"]+)"|status: "(http:[^"]+)"/.exec(this.log);
    this.#status = status?.[1] ?? status?.[2] ?? "";
  }

  says(text: string | RegExp): Promise<void> {
    return this.#program === undefined ? Promise.reject(new Error("not started")) : this.#program.says(text);
  }

  async kill(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#program?.kill(signal);
  }

  async received(): Promise<number> {
    return (await this.#ask()).received;
  }

  /** Asks until the sensor's last message is on disk. */
  async hasTheLast(): Promise<void> {
    while (((await this.#ask()).validate.accepted["Temperature Battery"] ?? 0) === 0) await pause(20);
  }

  async #ask(): Promise<z.infer<typeof Status>> {
    const answer = await fetch(new URL("/api/status", this.#status));
    return Status.parse(await answer.json());
  }

  /** Asks until so many readings are on disk. */
  async hasReceived(wanted: number): Promise<void> {
    while ((await this.received()) < wanted) await pause(20);
  }

  /** CPU time, seconds, and resident memory, MB. */
  usage(): { cpuSeconds: number; rssMb: number } {
    const pid = this.#program?.child.pid ?? 0;
    return {
      cpuSeconds: cpuSecondsOf(pid),
      rssMb: Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024,
    };
  }

  /** How often each reading's id is in the buffer, which is emptied by it; the agent must be stopped. */
  async buffered(): Promise<Map<string, number>> {
    const settings = { path: this.#buffer, gateway: GATEWAY, maxBytes: 2 ** 31, onFull: "refuse" as const };
    const limits = { lingerMs: 0, rejectsMaxBytes: 2 ** 20, ballastBytes: 0 };
    const buffer = openBuffer({ ...settings, ...limits }, { now: Date.now, log: pino({ level: "silent" }) });
    const counts = new Map<string, number>();
    for (let groups = buffer.lease(2 ** 20); groups.length > 0; groups = buffer.lease(2 ** 20)) {
      for (const { groupKey, body } of groups) {
        buffer.settle(groupKey, { outcome: "delivered" });
        for (const line of gunzipSync(body).toString().trimEnd().split("\n")) {
          const id = /^\{"id":"([^"]+)"/.exec(line)?.[1] ?? line;
          counts.set(id, (counts.get(id) ?? 0) + 1);
        }
      }
    }
    await buffer.close();
    return counts;
  }
}

/** User and system time of a process so far, seconds. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
}
