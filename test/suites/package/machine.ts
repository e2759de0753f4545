/** A machine with a booted systemd: a Debian root folder of its own in systemd-nspawn, and a cable to it. */

import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { ROOT } from "../../helpers/program.ts";

const CACHE = join(ROOT, "node_modules", ".cache", "windfarm-roots");
const PACKAGES = ["systemd", "systemd-sysv", "dbus", "adduser", "libstdc++6", "iproute2", "procps"];
const BOOT_MS = 60_000;
const POLL_MS = 100;

/** Why no machine with this release of Debian can be had here, or undefined. */
export function whyNoMachine(release: string): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  for (const [program, owner] of [
    ["debootstrap", "debootstrap"],
    ["systemd-nspawn", "systemd-container"],
    ["nsenter", "util-linux"],
  ] as const) {
    if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0)
      return `no ${program} (apt install ${owner})`;
  }
  return makeRoot(release) ? undefined : `Debian's archive gives no ${release} here`;
}

/** A fresh Debian as it would be installed, made once; false where the archive can't be reached. */
function makeRoot(release: string): boolean {
  const folder = join(CACHE, release);
  if (existsSync(folder)) return true;
  mkdirSync(CACHE, { recursive: true });
  const part = mkdtempSync(`${folder}.`);
  // It becomes the machine's /, which everybody must be able to enter.
  chmodSync(part, 0o755);
  const args = ["--variant=minbase", `--include=${PACKAGES.join(",")}`, release, part];
  const made = spawnSync("debootstrap", args, { stdio: "ignore" });
  if (made.status !== 0) {
    rmSync(part, { recursive: true, force: true });
    return false;
  }
  renameSync(part, folder);
  return true;
}

export class Machine {
  readonly folder: string;
  readonly name: string;
  /** Of this end of the cable, and the other. */
  readonly #here: string;
  readonly address: string;
  #nspawn: ChildProcess | undefined;
  #leader = 0;

  private constructor(folder: string, name: string, net: number) {
    this.folder = folder;
    this.name = name;
    this.#here = `10.213.${net}.1`;
    this.address = `10.213.${net}.2`;
  }

  static create(release: string): Machine {
    const root = join(CACHE, release);
    const folder = mkdtempSync(join(CACHE, `${release}-run-`));
    execFileSync("cp", ["-a", `${root}/.`, folder]);
    writeFileSync(join(folder, "etc/machine-id"), "");
    const net = (process.pid % 200) + (release === "trixie" ? 1 : 2);
    return new Machine(folder, `wf${net}`, net);
  }

  async boot(): Promise<void> {
    const args = ["-D", this.folder, "-b", "--network-veth", `--machine=${this.name}`];
    this.#nspawn = spawn("systemd-nspawn", [...args, "--register=no", "--keep-unit", "--console=pipe"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let said = "";
    this.#nspawn.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const endMs = performance.now() + BOOT_MS;
    while (performance.now() < endMs && this.#nspawn.exitCode === null) {
      this.#leader = childOf(this.#nspawn.pid ?? 0);
      const state = this.#leader === 0 ? "" : this.run("systemctl is-system-running 2>&1 || true").trim();
      if (state === "running" || state === "degraded") return this.#plugIn();
      await pause(POLL_MS);
    }
    throw new Error(`${this.name} did not boot:\n${said}`);
  }

  #plugIn(): void {
    const cable = `ve-${this.name}`;
    execFileSync("ip", ["addr", "replace", `${this.#here}/24`, "dev", cable]);
    execFileSync("ip", ["link", "set", cable, "up"]);
    this.run(`ip addr replace ${this.address}/24 dev host0 && ip link set host0 up`);
  }

  /** Runs a shell's line inside as root; its standard output. Throws with both outputs where it fails. */
  run(line: string, input = ""): string {
    const { status, stdout, stderr } = this.try(line, input);
    if (status !== 0) throw new Error(`${line}: ${status}\n${stdout}\n${stderr}`);
    return stdout;
  }

  try(line: string, input = ""): { status: number | null; stdout: string; stderr: string } {
    const inside = ["--target", String(this.#leader), "--all", "--", "env", "-i"];
    const env = [
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/root",
      "DEBIAN_FRONTEND=noninteractive",
      "LC_ALL=C.UTF-8",
    ];
    return spawnSync("nsenter", [...inside, ...env, "sh", "-c", line], { input, encoding: "utf8" });
  }

  /** Runs it again until it succeeds. */
  async until(line: string, timeoutMs = 30_000): Promise<string> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const { status, stdout, stderr } = this.try(line);
      if (status === 0) return stdout;
      if (performance.now() > endMs)
        throw new Error(`not within ${timeoutMs / 1000} s: ${line}\n${stdout}\n${stderr}\n${this.journal()}`);
      await pause(POLL_MS);
    }
  }

  journal(): string {
    return this.try(
      "journalctl -u windfarm -n 40 --no-pager -o cat; systemctl status windfarm --no-pager -n 0",
    ).stdout;
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    writeFileSync(join(this.folder, path), text);
  }

  copyIn(from: string, to: string): void {
    cpSync(from, join(this.folder, to));
  }

  /** A port inside's other end of the cable that leads to `port` on this machine's loopback; ends with the test. */
  async lead(port: number): Promise<{ url: string; close(): void }> {
    const server = createServer((inside) => {
      const outside = connect(port, "127.0.0.1");
      inside.pipe(outside).pipe(inside);
      for (const [one, other] of [
        [inside, outside],
        [outside, inside],
      ] as const)
        one.on("error", () => other.destroy()).on("close", () => other.destroy());
    });
    server.listen(0, this.#here);
    await once(server, "listening");
    const address = server.address();
    const there = typeof address === "object" && address !== null ? address.port : 0;
    return { url: `http://${this.#here}:${there}`, close: () => server.close() };
  }

  async reboot(): Promise<void> {
    const ended = once(this.#running(), "exit");
    this.try("systemctl reboot");
    await ended;
    await this.boot();
  }

  /** As by pulling the plug. */
  async cutPower(): Promise<void> {
    const ended = once(this.#running(), "exit");
    process.kill(this.#leader, "SIGKILL");
    await ended;
    await this.boot();
  }

  async destroy(): Promise<void> {
    const nspawn = this.#nspawn;
    if (nspawn !== undefined && nspawn.exitCode === null && nspawn.signalCode === null) {
      const ended = once(nspawn, "exit");
      nspawn.kill("SIGKILL");
      if (this.#leader !== 0 && existsSync(`/proc/${this.#leader}`)) process.kill(this.#leader, "SIGKILL");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #running(): ChildProcess {
    if (this.#nspawn === undefined) throw new Error(`${this.name} was not booted`);
    return this.#nspawn;
  }
}

/** The machine's init: the only child of nspawn; 0 while there is none. */
function childOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0] ?? 0);
  } catch {
    return 0;
  }
}
