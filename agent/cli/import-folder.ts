/** The work of `windfarm import`: read, judge, put in place, try, start. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../config/load.ts";
import { ConfigFault } from "../config/problems.ts";
import type { AgentConfig } from "../config/schema.ts";
import { EXIT } from "../errors.ts";
import { FILES, keepOld, place, readIn, requireFolder } from "./gateway-files.ts";
import { loadForAgent } from "./load-for-agent.ts";
import { print, printJson } from "./print.ts";
import { type Delivered, readDelivered, removeNext } from "./provisioned-folder.ts";

export interface ImportArguments {
  /** What npm run provision wrote. */
  folder: string;
  /** The configuration's folder. */
  to: string;
  /** Replace this gateway's own configuration. */
  replace: boolean;
  json: boolean;
}

/** Throws a Fault before anything is changed where the folder is not sound. */
export async function importFolder({ folder, to, replace, json }: ImportArguments): Promise<void> {
  requireFolder(folder, "name the folder that npm run provision wrote");
  requireFolder(to, "install the package first, or name a folder with --to");
  const delivered = readDelivered(folder, to);
  const done = putInPlace(delivered, to, replace);
  const { config } = await loadForAgent(join(to, FILES.config)).catch((error: unknown) => {
    // The files are in place: the service is to say on its page what is wrong with them.
    done.push(restart());
    for (const line of done) print(line);
    throw error;
  });
  const online = await tryOnline(config);
  done.push(restart());
  if (!online.ok) process.exitCode = EXIT.failed;
  if (json) return printJson({ ok: online.ok, gateway: delivered.gateway, done, online });
  for (const line of done) print(line);
  print(`${online.ok ? "ok" : "FAILED"}: ${online.message}`);
  if (online.hint !== undefined) print(`  ${online.ok ? "note" : "try"}: ${online.hint}`);
  if (!delivered.keyIsHere) print(`  note: ${folder} holds the gateway's private key: delete it there now.`);
}

/** The sentences of what was done. Key first: with an old certificate beside it import can simply be run again. */
function putInPlace(
  { gateway, certificate, privateKey, config }: Delivered,
  to: string,
  replace: boolean,
): string[] {
  const done: string[] = [];
  const identity = [
    [FILES.privateKey, privateKey],
    [FILES.certificate, certificate],
  ] as const;
  for (const [name, text] of identity) {
    const before = readIn(to, name);
    if (before !== undefined && before !== text)
      done.push(`What ${join(to, name)} was before is kept as ${keepOld(to, name)}.`);
  }
  for (const [name, text] of identity) place(to, name, text);
  removeNext(to);
  done.push(`${gateway}: certificate and key are in ${to}.`);
  const own = readIn(to, FILES.config);
  if (own !== undefined && !replace && idIn(join(to, FILES.config)) === gateway) {
    done.push(
      `${join(to, FILES.config)} is this gateway's already and was kept; --replace takes the new one.`,
    );
    return done;
  }
  if (own !== undefined && own !== config)
    done.push(`The configuration before is kept as ${keepOld(to, FILES.config)}.`);
  place(to, FILES.config, config);
  done.push(`${join(to, FILES.config)} is in place.`);
  return done;
}

/** Undefined for a configuration that is wrong: nobody's, then. */
function idIn(file: string): string | undefined {
  try {
    return loadConfig(file, { files: false }).gateway.id;
  } catch (error) {
    if (error instanceof ConfigFault) return undefined;
    throw error;
  }
}

async function tryOnline({ kinesis }: AgentConfig) {
  const [{ probeStream }, { createLogger }] = await Promise.all([
    import("../ship/probe.ts"),
    import("../observe/log.ts"),
  ]);
  const log = createLogger({ level: "error", output: { write: () => {} } });
  const deps = { log, now: Date.now, monotonicMs: () => performance.now(), env: process.env };
  return await probeStream(kinesis, deps);
}

function restart(): string {
  if (!existsSync("/run/systemd/system")) return "Start the agent: windfarm run.";
  try {
    execFileSync("systemctl", ["restart", "windfarm.service"], { stdio: "pipe" });
    return "The agent was started with it.";
  } catch {
    return "The agent could not be started: systemctl status windfarm says why.";
  }
}
