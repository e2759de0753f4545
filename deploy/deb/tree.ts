/** The package's files in a folder, as they will lie on the gateway, and what dpkg is told about them. */

import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { SCHEMA_VERSION } from "../../agent/buffer/schema.ts";
import { GATEWAY_ENVIRONMENT, GATEWAY_FLAGS } from "../node-flags.mjs";
import { bundledParts, copyrightText, nodePart, sbomText } from "./notices.ts";
import type { Target } from "./targets.ts";
import { tool } from "./tools.ts";

export interface Contents {
  target: Target;
  version: string;
  /** Seconds since 1970: the time stamp of every file. */
  epoch: number;
  /** Of the checkout. */
  root: string;
  /** That holds `bin/node` for the target. */
  nodeFolder: string;
  /** The compiled addon. */
  addon: string;
}

const PRIVATE_NODE = "/usr/lib/windfarm/node";
const SCRIPTS = ["preinst", "postinst", "prerm", "postrm"];

/** Lays everything out below `folder`, which must be empty. */
export function layOut(folder: string, contents: Contents): void {
  const { target, root, nodeFolder, addon, version } = contents;
  const put = new Writer(folder);
  if (target.carriesNode) {
    put.copy(join(nodeFolder, "bin", "node"), PRIVATE_NODE, 0o755);
    tool(`${target.triplet}-strip`, [join(folder, PRIVATE_NODE)]);
  }
  put.copy(join(root, "dist", "windfarm.js"), "/usr/lib/windfarm/windfarm.js", 0o644);
  put.copy(addon, "/usr/lib/windfarm/better_sqlite3.node", 0o644);
  put.text("/usr/lib/windfarm/package.json", '{"type":"module"}\n', 0o644);
  put.text("/usr/bin/windfarm", launcher(root, target), 0o755);
  put.copy(join(root, "agent.config.yaml"), "/usr/share/windfarm/agent.config.yaml", 0o644);
  put.copy(join(root, "deploy/systemd/windfarm.service"), "/usr/lib/systemd/system/windfarm.service", 0o644);
  putDocuments(put, contents);
  for (const name of SCRIPTS) put.text(`/DEBIAN/${name}`, script(root, name, version), 0o755);
  put.text("/DEBIAN/control", controlText(contents, put.bytes), 0o644);
  put.text("/DEBIAN/md5sums", put.sums(), 0o644);
  settle(folder, contents.epoch);
}

function putDocuments(put: Writer, { root, target, nodeFolder, version, epoch }: Contents): void {
  const doc = "/usr/share/doc/windfarm";
  const parts = bundledParts(root, join(root, "dist", "windfarm.meta.json"));
  if (target.carriesNode) parts.push(nodePart(nodeFolder, target.node.version));
  put.text(`${doc}/copyright`, copyrightText(readFileSync(join(root, "LICENSE"), "utf8"), parts), 0o644);
  put.text(`${doc}/windfarm.spdx.json`, sbomText(parts, { version, arch: target.arch, epoch }), 0o644);
  put.copy(join(root, "docs", "install.md"), `${doc}/README.md`, 0o644);
  put.copy(join(root, "docs", "users.md"), `${doc}/users.md`, 0o644);
  put.copy(join(root, "deploy", "RUNBOOK.md"), `${doc}/RUNBOOK.md`, 0o644);
  const date = new Date(epoch * 1000).toISOString().slice(0, 10);
  const manual = readFileSync(join(root, "deploy", "windfarm.1"), "utf8");
  const dated = manual.replaceAll("@VERSION@", version).replaceAll("@DATE@", date);
  put.bytesOf("/usr/share/man/man1/windfarm.1.gz", gzipSync(dated, { level: 9 }), 0o644);
  const entry = `windfarm (${version}) stable; urgency=medium\n\n  * See CHANGELOG.md in the repository.\n\n -- windfarm <windfarm@localhost>  ${new Date(epoch * 1000).toUTCString().replace("GMT", "+0000")}\n`;
  put.bytesOf(`${doc}/changelog.gz`, gzipSync(entry, { level: 9 }), 0o644);
}

function launcher(root: string, { carriesNode }: Target): string {
  return readFileSync(join(root, "deploy/deb/files/windfarm"), "utf8")
    .replace("@ENVIRONMENT@", GATEWAY_ENVIRONMENT.join(" "))
    .replace("@NODE@", carriesNode ? PRIVATE_NODE : "/usr/bin/node")
    .replace("@FLAGS@", GATEWAY_FLAGS.join(" "));
}

function script(root: string, name: string, version: string): string {
  return readFileSync(join(root, "deploy/deb/files", name), "utf8")
    .replaceAll("@VERSION@", version)
    .replaceAll("@BUFFER_FORMAT@", String(SCHEMA_VERSION));
}

/** glibc and libstdc++ of Debian 12; the addon is checked against them. */
const ALWAYS = ["adduser", "libc6 (>= 2.36)", "libgcc-s1", "libstdc++6 (>= 12)", "systemd"];

function controlText({ target, version }: Contents, installedBytes: number): string {
  const node = target.carriesNode ? [] : ["nodejs (>= 20.15)", "nodejs (<< 21)"];
  const fields: [string, string][] = [
    ["Package", "windfarm"],
    ["Version", version],
    ["Architecture", target.arch],
    ["Maintainer", "windfarm <windfarm@localhost>"],
    ["Installed-Size", String(Math.ceil(installedBytes / 1024))],
    ["Depends", [...ALWAYS, ...node].sort().join(", ")],
    // Signatures need the right time; this is who keeps it.
    ["Recommends", "time-daemon"],
    ["Section", "net"],
    ["Priority", "optional"],
    ["Description", "gets every sensor reading of a wind farm into a data lake"],
  ];
  const long = [
    " Collects readings by MQTT, acknowledges them once they are on disk, and ships",
    " them to Amazon Kinesis, through outages, power cuts and full disks.",
    target.carriesNode ? " Carries its own Node.js in /usr/lib/windfarm." : " Runs in Debian's Node.js 20.",
  ];
  return `${fields.map(([name, value]) => `${name}: ${value}`).join("\n")}\n${long.join("\n")}\n`;
}

class Writer {
  readonly #folder: string;
  /** Of all files installed. */
  bytes = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  copy(from: string, to: string, mode: number): void {
    this.#make(to);
    cpSync(from, join(this.#folder, to));
    this.#done(to, mode);
  }

  text(to: string, text: string, mode: number): void {
    this.bytesOf(to, Buffer.from(text), mode);
  }

  bytesOf(to: string, content: Uint8Array, mode: number): void {
    this.#make(to);
    writeFileSync(join(this.#folder, to), content);
    this.#done(to, mode);
  }

  /** As dpkg's md5sums(5): what `dpkg --verify` holds the files against. */
  sums(): string {
    const files = tool("find", ["usr", "-type", "f"], { cwd: this.#folder }).trim().split("\n").sort();
    return tool("md5sum", files, { cwd: this.#folder });
  }

  #make(to: string): void {
    mkdirSync(dirname(join(this.#folder, to)), { recursive: true, mode: 0o755 });
  }

  #done(to: string, mode: number): void {
    const file = join(this.#folder, to);
    chmodSync(file, mode);
    if (!to.startsWith("/DEBIAN/")) this.bytes += statSync(file).size;
  }
}

/** One time stamp for all, and no right that the builder's umask took or gave. */
function settle(folder: string, epoch: number): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory()) chmodSync(path, 0o755);
    utimesSync(path, epoch, epoch);
  }
  chmodSync(folder, 0o755);
  utimesSync(folder, epoch, epoch);
}
