/** `npm run audit`: did everything arrive? Asked of the local lake or, with --athena, of the real one; exits 1 for missing or doubled. */

import { existsSync, readFileSync } from "node:fs";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { z } from "zod";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { debugOption, endWith, failUsage, forgiveReaders, usageFault } from "../command.ts";
import { cloudFolders, DEFAULT_DATA } from "../local/places.ts";
import { type Audit, auditAthena, auditLocal, judge } from "./auditing.ts";
import { formatted } from "./format.ts";

function options() {
  return yargs(hideBin(process.argv))
    .scriptName("npm run audit --")
    .usage(
      "$0\n\nWhether every reading arrived, and once. The local lake is counted anew from the raw objects and the table.",
    )
    .option("json", { type: "boolean", default: false, describe: "Print JSON" })
    .option("data", { type: "string", default: DEFAULT_DATA, describe: "Folder of the local cloud" })
    .option("agent", {
      type: "string",
      describe: "URL of an agent's page, to compare with the agent's own counts",
    })
    .option("athena", { type: "boolean", default: false, describe: "Query Athena instead of the local lake" })
    .option("workgroup", { type: "string", default: "windfarm", describe: "Athena's workgroup" })
    .option("region", {
      type: "string",
      describe: "Athena's region; by default that of the AWS configuration",
    })
    .option("debug", debugOption)
    .strict()
    .version(pkg.version)
    .parserConfiguration({ "duplicate-arguments-array": false })
    .fail(failUsage)
    .parseSync();
}

const Addresses = z.object({ controlPort: z.number() });
const AgentStatus = z.object({
  gateway: z.string(),
  epoch: z.string(),
  received: z.number(),
  buffered: z.number(),
  shipped: z.number(),
  rejected: z.number(),
  dropped: z.number(),
  buffer: z.object({ lastSeq: z.number() }),
});

async function main(): Promise<void> {
  const { data, json, agent: url, athena, workgroup, region } = options();
  const agent = url === undefined ? undefined : await askAgent(url);
  const { raw, lake, addresses } = cloudFolders(data);
  if (!athena) await flushRunningCloud(addresses);
  const audit = athena
    ? await auditAthena({ workgroup, ...(region === undefined ? {} : { region }) })
    : await auditLocal(raw, lake);
  const verdict = judge(audit, agent);
  const answer = { ...audit, ...(agent === undefined ? {} : { agent }), ...verdict };
  process.stdout.write(json ? `${JSON.stringify(answer)}\n` : asText(audit, verdict.verdict));
  process.exitCode = verdict.complete ? EXIT.ok : EXIT.failed;
}

/** A cloud that runs delivers first, so that the answer is about now. */
async function flushRunningCloud(path: string): Promise<void> {
  if (!existsSync(path)) return;
  try {
    const { controlPort } = Addresses.parse(JSON.parse(readFileSync(path, "utf8")));
    const answer = await fetch(`http://127.0.0.1:${controlPort}/_local/flush`, { method: "POST" });
    await answer.arrayBuffer();
  } catch {
    // It was killed and left its addresses behind: what is on disk is what there is.
  }
}

async function askAgent(url: string): Promise<z.infer<typeof AgentStatus>> {
  if (!URL.canParse(url))
    throw usageFault(`--agent ${url} is not the address of a page`, "write --agent http://127.0.0.1:8080");
  try {
    const answer = await fetch(new URL("/api/status", url), { signal: AbortSignal.timeout(5_000) });
    return AgentStatus.parse(await answer.json());
  } catch (error) {
    const { cause } = error instanceof Error ? error : {};
    throw new Fault("audit.agent", `no agent answers at ${url}: ${messageOf(cause ?? error)}`, {
      hint: "start it, or leave out --agent to audit the lake alone",
      cause: error,
    });
  }
}

const COLUMNS = ["expected", "arrived", "missing", "pending", "duplicates", "equal", "equalDup"] as const;

function asText({ epochs, lake, delivered, rejects }: Audit, verdict: string): string {
  const text = (name: string) => ({ name, type: "VARCHAR" });
  const counts = COLUMNS.map((name) => ({ name: name === "duplicates" ? "again" : name, type: "BIGINT" }));
  const columns = [text("gateway"), text("epoch"), ...counts, text("gaps")];
  const rows = epochs.map((epoch) => [
    epoch.gateway,
    epoch.epoch,
    ...COLUMNS.map((name) => epoch[name]),
    epoch.gaps.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`)).join(", ") +
      (epoch.gaps.reduce((sum, [first, last]) => sum + last - first + 1, 0) < epoch.missing ? " …" : ""),
  ]);
  const rejected = rejects === undefined ? "" : `; rejected lines ${rejects}`;
  const totals = `delivered ${delivered}, of them ${delivered - lake.rows} again${rejected}; rows ${lake.rows}`;
  return `${verdict}\n\n${formatted({ columns, rows }, "table")}\n${totals}\n`;
}

// The SDK would announce that it will drop Node 20; the lockfile keeps the version that has it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

forgiveReaders();
main().catch(endWith);
