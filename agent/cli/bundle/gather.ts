/** The documents of a bundle. What can't be had says why; nothing ends the gathering. */

import { execFile } from "node:child_process";
import { get } from "node:http";
import { dirname, resolve } from "node:path";
import { loadWithTree } from "../../config/load.ts";
import type { Loaded } from "../../config/parse.ts";
import { ConfigFault } from "../../config/problems.ts";
import { showConfig } from "../../config/show.ts";
import { messageOf } from "../../errors.ts";
import { examine } from "../doctor/examination.ts";
import { loadForAgent } from "../load-for-agent.ts";
import { secretsIn, withoutSecrets } from "./secrets.ts";

export interface BundleDocument {
  name: string;
  text: string;
}

/** Lines of the journal. */
const JOURNAL_LINES = 5000;
const PROGRAM_TIMEOUT_MS = 15_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

export async function gatherBundle(file: string): Promise<{ gateway: string; documents: BundleDocument[] }> {
  const loaded = await loadAnyhow(file);
  const config = loaded instanceof ConfigFault ? undefined : loaded.config;
  const folder = config === undefined ? "/" : dirname(resolve(config.buffer.path));
  const page = config?.status.url ?? "http://127.0.0.1:8080";
  const documents: BundleDocument[] = [
    // A configuration that is wrong may have its secrets anywhere: only what is wrong with it is told.
    loaded instanceof ConfigFault
      ? { name: "configuration-problems.txt", text: loaded.message }
      : { name: "agent.config.yaml", text: showConfig(loaded.tree) },
    { name: "doctor.json", text: await examined(file) },
    { name: "status.json", text: await fetched(`${page}/api/status`) },
    { name: "history.json", text: await fetched(`${page}/api/history`) },
    { name: "metrics.txt", text: await fetched(`${page}/metrics`) },
    ...(await Promise.all(
      programs(folder).map(async ([name, program, args]) => ({ name, text: await said(program, args) })),
    )),
  ];
  const secrets = secretsIn(config, process.env);
  const clean = documents.map(({ name, text }) => ({ name, text: withoutSecrets(text, secrets) }));
  return { gateway: config?.gateway.id ?? "gateway", documents: clean };
}

function programs(folder: string): [name: string, program: string, args: string[]][] {
  const journal = ["-u", "windfarm", "-n", String(JOURNAL_LINES), "-o", "short-iso", "--no-pager"];
  return [
    ["journal.txt", "journalctl", journal],
    [
      "service.txt",
      "systemctl",
      [
        "show",
        "windfarm",
        "--no-pager",
        "--property=ActiveState,SubState,StatusText,NRestarts,Result,MemoryCurrent,ActiveEnterTimestamp",
      ],
    ],
    ["clock.txt", "timedatectl", ["status", "--no-pager"]],
    ["disk.txt", "df", ["-h", "-T", folder]],
    ["inodes.txt", "df", ["-i", folder]],
    ["files.txt", "ls", ["-la", folder]],
    ["mount.txt", "findmnt", ["-T", folder]],
    ["memory.txt", "free", ["-m"]],
    ["system.txt", "uname", ["-a"]],
    ["release.txt", "cat", ["/etc/os-release"]],
    ["routes.txt", "ip", ["route"]],
  ];
}

async function loadAnyhow(file: string): Promise<Loaded | ConfigFault> {
  try {
    return await loadForAgent(file);
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    try {
      // Somebody who may not read the keys can still tell the rest.
      return loadWithTree(file, { files: false });
    } catch {
      return error;
    }
  }
}

async function examined(file: string): Promise<string> {
  try {
    return JSON.stringify(await examine(file), null, 1);
  } catch (error) {
    return messageOf(error);
  }
}

function fetched(url: string): Promise<string> {
  return new Promise((done) => {
    const asked = get(url, { agent: false, signal: AbortSignal.timeout(PROGRAM_TIMEOUT_MS) }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => {
        text += piece;
        if (text.length > MAX_OUTPUT_BYTES) response.destroy();
      });
      response.on("close", () => done(text));
    });
    asked.on("error", (error) => done(`${url}: ${messageOf(error)}\n`));
  });
}

function said(program: string, args: readonly string[]): Promise<string> {
  const options = { timeout: PROGRAM_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, encoding: "utf8" } as const;
  return new Promise((done) => {
    const failed = (error: unknown) => `${program}: ${messageOf(error)}\n`;
    try {
      execFile(program, [...args], options, (error, stdout, stderr) => {
        done(`${stdout}${stderr}${error === null ? "" : failed(error)}`);
      });
    } catch (error) {
      // No memory for another process: that is worth knowing too.
      done(failed(error));
    }
  });
}
