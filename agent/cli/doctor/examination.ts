/** All checks in their order, and the one sentence that comes of them. */

import { readFileSync } from "node:fs";
import { ConfigFault, problemText } from "../../config/problems.ts";
import type { AgentConfig } from "../../config/schema.ts";
import { EXIT } from "../../errors.ts";
import { loadForAgent } from "../load-for-agent.ts";
import { clockFinding } from "./clock.ts";
import { CHECK_NAMES, type Check, type CheckName, type Finding, failed, ok, skipped } from "./finding.ts";
import { agentFinding, bufferFinding, diskFinding, portFinding, whoAnswers } from "./here.ts";
import { identityFindings } from "./identity.ts";
import { sensorsFinding } from "./sensors.ts";
import { type Way, walk } from "./way.ts";

export interface Examination {
  /** One sentence: the true cause, or that nothing is wrong. */
  verdict: string;
  hint?: string;
  checks: Check[];
  exitCode: number;
}

export async function examine(file: string): Promise<Examination> {
  let config: AgentConfig;
  try {
    ({ config } = await loadForAgent(file));
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    return { ...summed({ configuration: configFinding(error) }), exitCode: EXIT.config };
  }
  const answering = await whoAnswers(config);
  const status = answering.who === "agent" ? answering.status : undefined;
  const { skewMs, ...way } = await wayOf(config);
  const reached = way.TLS.state !== "failed" && way.TCP.state === "ok";
  const identity = reached ? await identityFindings(config.kinesis, status) : {};
  return summed({
    configuration: ok(`${file} is fine`),
    disk: diskFinding(config),
    buffer: bufferFinding(answering),
    port: await portFinding(config, answering),
    agent: agentFinding(config, answering),
    clock: await clockFinding(skewMs),
    ...way,
    ...identity,
    sensors: sensorsFinding(status),
  });
}

function configFinding({ problems }: ConfigFault): Finding {
  const [first] = problems;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more` : "";
  return failed(
    `The configuration is wrong: ${first === undefined ? "" : problemText(first)}${more}`,
    "windfarm check names every problem",
  );
}

function summed(found: Partial<Record<CheckName, Finding>>): Examination {
  const checks = CHECK_NAMES.map((name): Check => ({ name, ...(found[name] ?? skipped("Not reached")) }));
  const cause = checks.find(({ state }) => state === "failed");
  if (cause === undefined) {
    return { verdict: found.agent?.message ?? "Nothing is wrong", checks, exitCode: EXIT.ok };
  }
  const hint = cause.hint === undefined ? {} : { hint: cause.hint };
  return { verdict: cause.message, ...hint, checks, exitCode: EXIT.failed };
}

/** To the stream's endpoint and, for a gateway with a certificate, to the credentials provider: what fails on either way. */
async function wayOf({ kinesis }: AgentConfig): Promise<Way> {
  const { region, endpoint, requestTimeoutMs: timeoutMs, credentials, proxy }: Roads = kinesis;
  const suffix = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const url = new URL(endpoint ?? `https://kinesis.${region}.${suffix}`);
  const toStream = await walk({ url, proxy, timeoutMs }, process.env);
  if (credentials.kind !== "iot" || isBlocked(toStream)) return toStream;
  const ca = credentials.caFile === undefined ? undefined : readFileSync(credentials.caFile, "utf8");
  const toProvider = await walk(
    { url: new URL(`https://${credentials.endpoint}`), proxy, timeoutMs, ca },
    process.env,
  );
  return isBlocked(toProvider) ? toProvider : toStream;
}

function isBlocked({ DNS, proxy, TCP, TLS }: Way): boolean {
  return [DNS, proxy, TCP, TLS].some(({ state }) => state === "failed");
}

type Roads = AgentConfig["kinesis"] & { proxy?: string | undefined };
