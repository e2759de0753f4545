/** Asks the service whether the stream is there and who we are to it, without writing anything. */

import { DescribeStreamSummaryCommand } from "@aws-sdk/client-kinesis";
import { createClient, Handler } from "./client.ts";
import { type CredentialDeps, createCredentials } from "./credentials.ts";
import { classify } from "./errors.ts";
import { Link } from "./link.ts";
import type { StreamSettings } from "./settings.ts";

export interface ProbeResult {
  ok: boolean;
  /** One sentence. */
  message: string;
  /** What to try where it is not ok, or what stays open where it is. */
  hint?: string;
  /** The fault's code, e.g. `ship.dns`. */
  code?: string;
}

/** Never throws; answers within the settings' request timeout, give or take the default chain's search for credentials. */
export async function probeStream(settings: StreamSettings, deps: CredentialDeps): Promise<ProbeResult> {
  const { stream, region, requestTimeoutMs } = settings;
  const link = new Link(settings, deps.env);
  const credentials = createCredentials(settings, link, deps);
  const client = createClient(settings, new Handler(link, requestTimeoutMs), credentials);
  try {
    const abortSignal = AbortSignal.timeout(requestTimeoutMs);
    const command = new DescribeStreamSummaryCommand({ StreamName: stream });
    const { StreamDescriptionSummary: found } = await client.send(command, { abortSignal });
    const status = found?.StreamStatus ?? "unknown";
    const described = `Stream ${stream} in ${region}: ${status}, ${found?.OpenShardCount ?? "?"} open shards, as ${credentials.described}.`;
    if (status === "ACTIVE" || status === "UPDATING") return { ok: true, message: described };
    return {
      ok: false,
      message: described,
      hint: "Readings wait until the stream is ACTIVE.",
      code: "ship.stream_missing",
    };
  } catch (error) {
    const fault = classify(error, settings, deps.now());
    if (fault.code === "ship.access_denied") {
      return {
        ok: true,
        message: `Kinesis in ${region} answers and knows us (${credentials.described}), but this identity may not look at ${stream}.`,
        hint: "Fine for an identity that may only put records; allow kinesis:DescribeStreamSummary to have the stream itself checked.",
        code: fault.code,
      };
    }
    return {
      ok: false,
      message: fault.message,
      ...(fault.hint === undefined ? {} : { hint: fault.hint }),
      code: fault.code,
    };
  } finally {
    client.destroy();
    link.close();
  }
}
