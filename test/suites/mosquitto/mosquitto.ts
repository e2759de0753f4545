/** Runs a mosquitto of its own for a test: on a free loopback port, in the test's folder. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { freePorts } from "../../../deploy/local/ports.ts";

const PLACES = [
  "mosquitto",
  "/usr/sbin/mosquitto",
  "/usr/local/sbin/mosquitto",
  "/opt/homebrew/sbin/mosquitto",
];

/** The program and its version, or why there is none. */
export function findMosquitto(): { path: string; version: string } | { reason: string } {
  for (const path of PLACES) {
    const said = spawnSync(path, ["-h"], { encoding: "utf8" });
    if (said.error === undefined) return { path, version: said.stdout.split("\n")[0] ?? "" };
  }
  return { reason: "mosquitto is not installed (apt-get install mosquitto)" };
}

/** What docs/mosquitto.md recommends, for a test's folder. */
export const RECOMMENDED = [
  "persistence true",
  "max_queued_messages 0",
  "max_queued_bytes 536870912",
  "max_inflight_messages 1000",
  "set_tcp_nodelay true",
];

export class Mosquitto {
  readonly port: number;
  readonly #path: string;
  readonly #config: string;
  #child: ChildProcess | undefined;

  private constructor(path: string, port: number, config: string) {
    this.#path = path;
    this.port = port;
    this.#config = config;
  }

  /** `lines` of mosquitto.conf beside the listener; data in `folder`. */
  static async start(path: string, folder: string, lines: readonly string[]): Promise<Mosquitto> {
    const [port = 0] = await freePorts(1);
    const config = join(folder, `mosquitto-${port}.conf`);
    const own = [`listener ${port} 127.0.0.1`, "allow_anonymous true", `persistence_location ${folder}/`];
    // Root would be given up for a user who can't read the test's folder.
    if (process.getuid?.() === 0) own.push("user root");
    writeFileSync(config, [...own, ...lines, ""].join("\n"));
    const mosquitto = new Mosquitto(path, port, config);
    await mosquitto.startAgain();
    return mosquitto;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async startAgain(): Promise<void> {
    this.#child = spawn(this.#path, ["-c", this.#config], { stdio: "ignore" });
    while (!(await isOpen(this.port))) {
      if (this.#child.exitCode !== null) throw new Error(`mosquitto ended with ${this.#child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** SIGTERM lets it save its sessions, SIGKILL does not. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).then((open) => {
    socket.destroy();
    return open === true;
  });
}
