/** Who the gateway is to AWS, what it may, and whether the stream takes what it sends. */

import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { AgentConfig } from "../../config/schema.ts";
import { messageOf } from "../../errors.ts";
import { createLogger } from "../../observe/log.ts";
import { type ProbeResult, probeStream } from "../../ship/probe.ts";
import type { Status } from "../status-client.ts";
import { type Finding, failed, ok, skipped } from "./finding.ts";

type Kinesis = AgentConfig["kinesis"];

export interface Identity {
  credentials: Finding;
  permission: Finding;
  stream: Finding;
  throttling: Finding;
}

const CREDENTIAL_CODES = [
  "ship.credentials_missing",
  "ship.credentials_expired",
  "ship.credentials_invalid",
  "ship.credentials_file",
  "ship.iot_refused",
  "ship.role_alias_missing",
];
const PERMISSION_CODES = ["ship.access_denied", "ship.encryption"];

/** `status`: of the running agent, which alone writes. Never rejects. */
export async function identityFindings(kinesis: Kinesis, status: Status | undefined): Promise<Identity> {
  const log = createLogger({ level: "error", output: { write: () => {} } });
  const deps = { log, now: Date.now, monotonicMs: () => performance.now(), env: process.env };
  const own = certificateFinding(kinesis);
  const probe = await probeStream(kinesis, deps);
  const lately = troubleOf(status);
  return {
    credentials: own ?? credentialFinding(probe),
    permission: permissionFinding(probe, lately),
    stream: streamFinding(probe, lately),
    throttling: throttlingFinding(probe, lately, status),
  };
}

/** What is wrong with the certificate itself, before anybody is asked. */
function certificateFinding({ credentials }: Kinesis): Finding | undefined {
  if (credentials.kind !== "iot") return undefined;
  const { certFile } = credentials;
  try {
    const { validTo } = new X509Certificate(readFileSync(certFile));
    if (Date.parse(validTo) > Date.now()) return undefined;
    const hint = "give the gateway a new one: npm run provision -- --rotate, then windfarm import";
    return failed(`The gateway's certificate has expired: ${certFile} was valid until ${validTo}`, hint);
  } catch (error) {
    return failed(
      `The gateway's certificate can't be read: ${messageOf(error)}`,
      "run doctor with sudo, or see kinesis.credentials.iot.cert_file",
    );
  }
}

function credentialFinding({ ok: fine, code, message, hint }: ProbeResult): Finding {
  if (code !== undefined && CREDENTIAL_CODES.includes(code)) return failed(message, hint);
  if (fine || (code !== undefined && ANSWERED.includes(code))) return ok("AWS knows this gateway");
  return skipped("AWS could not be asked");
}

/** Codes that only somebody who is known gets to hear. */
const ANSWERED = [...PERMISSION_CODES, "ship.stream_missing", "ship.throttled"];

function permissionFinding(probe: ProbeResult, lately: Trouble | undefined): Finding {
  if (lately !== undefined && PERMISSION_CODES.includes(lately.code))
    return failed(lately.message, lately.hint);
  if (probe.code === "ship.access_denied")
    return ok("It may put records; it may not look at the stream, which it need not");
  return probe.ok ? ok("Nothing was refused") : skipped("AWS could not be asked");
}

function streamFinding(probe: ProbeResult, lately: Trouble | undefined): Finding {
  if (probe.code === "ship.stream_missing") return failed(probe.message, probe.hint);
  if (lately?.code === "ship.stream_missing") return failed(lately.message, lately.hint);
  if (probe.ok && probe.code === undefined) return ok(probe.message);
  return skipped(probe.ok ? "This identity may not look at the stream" : "AWS could not be asked");
}

function throttlingFinding(
  probe: ProbeResult,
  lately: Trouble | undefined,
  status: Status | undefined,
): Finding {
  if (lately?.code === "ship.throttled") return failed(lately.message, lately.hint);
  // A stream that can only be asked rarely may well be written to; but what else is wrong would have been said before.
  if (!probe.ok && probe.code === "ship.throttled") return failed(probe.message, probe.hint);
  return status === undefined
    ? skipped("Only the running agent writes")
    : ok("The stream takes what is sent");
}

interface Trouble {
  code: string;
  message: string;
  hint: string | undefined;
}

/** What Kinesis last said to the agent, where that was no. */
function troubleOf(status: Status | undefined): Trouble | undefined {
  const { lastError, lastSuccessMs } = status?.ship ?? {};
  if (lastError === undefined || (lastSuccessMs !== undefined && lastSuccessMs > lastError.atMs))
    return undefined;
  return { code: lastError.code, message: lastError.message, hint: lastError.hint };
}
