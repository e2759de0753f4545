/** What is to be started where: the agent's configuration, and what the command line changes of it. */

import { existsSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { isMap, parseDocument } from "yaml";
import { makeFolders } from "../../agent/common/folders.ts";
import { loadConfig } from "../../agent/config/load.ts";
import type { AgentConfig } from "../../agent/config/schema.ts";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";
import type { PortChoice, StartOptions } from "./options.ts";
import { freePorts, type WantedPort } from "./ports.ts";

export interface Plan {
  config: AgentConfig;
  /** The one the agent is given: the user's, or one made from it in the data folder. */
  configFile: string;
  dataFolder: string;
  cloudFolder: string;
  kinesisPort: number;
  controlPort: number;
  /** Where sensors publish. */
  broker: string;
  page: string;
  control: string;
  ports: WantedPort[];
}

const LOOPBACK = "127.0.0.1";

/** Reads the configuration and settles all places and ports; nothing is started, only a configuration written. */
export async function makePlan(options: StartOptions): Promise<Plan> {
  const base = loadConfig(options.configFile, { files: false });
  localEndpoint(base, options.configFile);
  requireFolder(options.dataFolder);
  const changes = await settle(options, base);
  const configFile = changes.size === 0 ? options.configFile : derive(options, changes);
  const config = loadConfig(configFile);
  const endpoint = localEndpoint(config, options.configFile);
  const { dataFolder, controlPort } = options;
  const plan: Plan = {
    config,
    configFile,
    dataFolder,
    cloudFolder: join(dataFolder, "cloud"),
    kinesisPort: endpoint,
    controlPort: controlPort === "auto" ? ((await freePorts(1))[0] ?? 0) : controlPort,
    broker: config.mqtt.listen?.url ?? config.mqtt.connect?.url ?? "",
    page: config.status.url,
    control: "",
    ports: [],
  };
  plan.control = `http://${LOOPBACK}:${plan.controlPort}`;
  plan.ports = wantedPorts(plan);
  if (options.fresh) refuseForeignBuffer(plan);
  return plan;
}

/** Throws a Fault where the folder can't be made or written to; one that is not there yet is made when it is needed. */
function requireFolder(folder: string): void {
  const there = nearestThere(folder);
  const fit = { hint: "give a folder that this user may write to with --data", exitCode: EXIT.usage };
  if (!statSync(there).isDirectory()) {
    throw new Fault("start.data", `--data ${folder} is no folder: ${there} is a file`, fit);
  }
  try {
    rmdirSync(mkdtempSync(join(there, ".windfarm-")));
  } catch (cause) {
    throw new Fault("start.data", `--data ${folder} can't be written to: ${messageOf(cause)}`, {
      ...fit,
      cause,
    });
  }
}

function nearestThere(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestThere(dirname(path));
}

/** Removes what an earlier start left: the agent's buffer and the local cloud. */
export function emptyData({ config, cloudFolder }: Plan): void {
  rmSync(dirname(resolve(config.buffer.path)), { recursive: true, force: true });
  rmSync(cloudFolder, { recursive: true, force: true });
}

/** The settings that differ from the user's file. */
async function settle(
  options: StartOptions,
  base: AgentConfig,
): Promise<Map<readonly [string, string], string>> {
  const changes = new Map<readonly [string, string], string>();
  const free = await freePorts(3);
  const choose = (path: readonly [string, string], scheme: string, choice: PortChoice): void => {
    const chosen = free.pop();
    if (choice === "configured") return;
    changes.set(path, `${scheme}://${LOOPBACK}:${choice === "auto" ? chosen : choice}`);
  };
  if (base.mqtt.listen !== undefined) choose(["mqtt", "listen"], "mqtt", options.mqttPort);
  choose(["status", "listen"], "http", options.pagePort);
  choose(["kinesis", "endpoint"], "http", options.kinesisPort);
  if (!options.ownConfig) changes.set(["buffer", "path"], join(options.dataFolder, "agent", "buffer.db"));
  return changes;
}

function derive(options: StartOptions, changes: ReadonlyMap<readonly [string, string], string>): string {
  const document = parseDocument(readFileSync(options.configFile, "utf8"));
  for (const [[section, key], value] of changes) {
    if (!isMap(document.get(section))) document.set(section, document.createNode({}));
    document.setIn([section, key], value);
  }
  const file = join(options.dataFolder, "agent.config.yaml");
  const heading = `# Made by npm start from ${options.configFile}; made anew at each start.\n`;
  makeFolders(options.dataFolder);
  // There may be a password in it.
  writeFileSync(file, heading + document.toString(), { mode: 0o600 });
  return file;
}

function localEndpoint({ kinesis }: AgentConfig, file: string): number {
  const url = kinesis.endpoint === undefined ? undefined : new URL(kinesis.endpoint);
  if (url !== undefined && url.protocol === "http:" && [LOOPBACK, "localhost"].includes(url.hostname)) {
    return url.port === "" ? 80 : Number(url.port);
  }
  const found = url === undefined ? "has no kinesis.endpoint" : `has the kinesis.endpoint ${url.href}`;
  throw new Fault("start.endpoint", `${file} ${found}, and npm start ships to a local cloud only`, {
    hint: `set kinesis.endpoint to http://${LOOPBACK}:4567, or run the agent alone: npx windfarm run --config ${file}`,
    exitCode: EXIT.config,
  });
}

function wantedPorts({ config, kinesisPort, controlPort }: Plan): WantedPort[] {
  const ports: WantedPort[] = [];
  const another = "another npm start";
  const want = (port: number, purpose: string, option: string, likelyOwner: string, host = LOOPBACK) => {
    ports.push({ port, host, purpose, option: `--${option}-port`, likelyOwner });
  };
  const { listen } = config.mqtt;
  if (listen !== undefined) {
    want(listen.port, "the agent's broker (MQTT)", "mqtt", `mosquitto or ${another}`, listen.host);
  }
  want(kinesisPort, "the local Kinesis", "kinesis", `${another} or npm run cloud`);
  want(controlPort, "the local cloud's control", "control", `${another} or npm run cloud`);
  const { host, port } = config.status;
  want(port, "the agent's page", "page", `another web server or ${another}`, host);
  return ports;
}

/** --fresh removes folders: only ones that are npm start's own. */
function refuseForeignBuffer({ config, dataFolder }: Plan): void {
  if (resolve(config.buffer.path).startsWith(join(dataFolder, "agent") + sep)) return;
  throw new Fault(
    "start.fresh",
    `--fresh empties ${dataFolder} only, and the buffer is ${config.buffer.path}`,
    {
      hint: "add --data DIR to use a buffer of its own, or remove the old one by hand",
      exitCode: EXIT.usage,
    },
  );
}
