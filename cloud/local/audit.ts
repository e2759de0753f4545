/** `npm run audit`: did everything arrive? Exits 1 where something is missing or doubled. */

import { existsSync, readFileSync } from "node:fs";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { z } from "zod";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";
import pkg from "../../package.json" with { type: "json" };
import { auditLake, type EpochAudit, type LakeAudit } from "./audit-lake.ts";
import { endWith, failUsage, forgiveReaders } from "./command.ts";
import { formatted } from "./format.ts";
import { cloudFolders, DEFAULT_DATA } from "./places.ts";

function options() {
  return yargs(hideBin(process.argv))
    .scriptName("npm run audit --")
    .usage("$0\n\nCounts anew, from the raw objects and the table, whether every reading arrived, and once.")
    .option("json", { type: "boolean", default: false, describe: "the answer as JSON" })
    .option("data", { type: "string", default: DEFAULT_DATA, describe: "the local cloud's folder" })
    .option("agent", {
      type: "string",
      describe: "URL of an agent's page, to compare with what it says it took",
    })
    .strict()
    .version(pkg.version)
    .parserConfiguration({ "duplicate-arguments-array": false })
    .fail(failUsage)
    .parseSync();
}

const Addresses = z.object({ controlPort: z.number() });
const AgentStatus = z.object({
  gateway: z.string(),
  epoch: z.string().optional(),
  received: z.number(),
  buffered: z.number(),
  shipped: z.number(),
  rejected: z.number(),
  dropped: z.number(),
});
type AgentCounts = z.infer<typeof AgentStatus>;

interface Answer extends LakeAudit {
  agent?: AgentCounts;
  complete: boolean;
  /** One sentence. */
  verdict: string;
}

async function main(): Promise<void> {
  const asked = options();
  const { raw, lake, addresses } = cloudFolders(asked.data);
  const agent = asked.agent === undefined ? undefined : await askAgent(asked.agent);
  await flushRunningCloud(addresses);
  const audit = await auditLake(raw, lake);
  const answer = { ...audit, ...(agent === undefined ? {} : { agent }), ...judge(audit, agent) };
  process.stdout.write(asked.json ? `${JSON.stringify(answer)}\n` : asText(answer));
  process.exitCode = answer.complete ? EXIT.ok : EXIT.failed;
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

async function askAgent(url: string): Promise<AgentCounts> {
  try {
    const answer = await fetch(new URL("/api/status", url), { signal: AbortSignal.timeout(5_000) });
    return AgentStatus.parse(await answer.json());
  } catch (error) {
    throw new Fault("audit.agent", `no agent answers at ${url}: ${messageOf(error)}`, {
      hint: "start it, or leave out --agent to audit the lake alone",
      cause: error,
    });
  }
}

function judge(audit: LakeAudit, agent: AgentCounts | undefined): { complete: boolean; verdict: string } {
  const missing = audit.epochs.reduce((sum, epoch) => sum + epoch.missing, 0);
  const { lake } = audit;
  const problems: string[] = [];
  if (missing > 0) problems.push(`${plural(missing, "reading")} of the gateways' numbering did not arrive`);
  if (lake.missing > 0) problems.push(`${plural(lake.missing, "delivered reading")} not in the table`);
  if (lake.doubled > 0) problems.push(`${plural(lake.doubled, "reading")} in the table more than once`);
  if (lake.unexplained > 0)
    problems.push(`${plural(lake.unexplained, "row")} of the table without a raw object`);
  const unshipped = agent === undefined ? undefined : shippedButAbsent(audit, agent);
  if (unshipped !== undefined && unshipped > 0) {
    problems.push(`${plural(unshipped, "reading")} the agent shipped did not arrive`);
  }
  if (problems.length > 0) {
    const dropped = agent?.dropped ?? 0;
    const why = dropped > 0 ? `; the agent dropped ${dropped} because its buffer was full` : "";
    const still =
      agent !== undefined && agent.buffered > 0 ? `; ${agent.buffered} still wait in the agent` : "";
    return { complete: false, verdict: `Not complete: ${problems.join("; ")}${why}${still}.` };
  }
  const waiting =
    agent !== undefined && agent.buffered > 0 ? `; ${agent.buffered} more wait in the agent` : "";
  return {
    complete: true,
    verdict: `Complete: every reading that was sent is in the table, once${waiting}.`,
  };
}

/** How many readings an agent counts as shipped that are not among the raw objects. */
function shippedButAbsent({ epochs }: LakeAudit, agent: AgentCounts): number | undefined {
  const ofAgent = epochs.filter(
    ({ gateway, epoch }) => gateway === agent.gateway && (agent.epoch === undefined || agent.epoch === epoch),
  );
  return Math.max(0, agent.shipped - ofAgent.reduce((sum, { arrived }) => sum + arrived, 0));
}

function asText(answer: Answer): string {
  const names = ["gateway", "epoch", "expected", "arrived", "missing", "duplicates", "gaps"];
  const numbers = new Set(["expected", "arrived", "missing", "duplicates"]);
  const columns = names.map((name) => ({ name, type: numbers.has(name) ? "BIGINT" : "VARCHAR" }));
  const rows = answer.epochs.map((epoch) => [
    epoch.gateway,
    epoch.epoch,
    epoch.expected,
    epoch.arrived,
    epoch.missing,
    epoch.duplicates,
    gapsText(epoch),
  ]);
  const { lake, delivered, rejects } = answer;
  const deliveries = `delivered ${delivered}, of them ${delivered - lake.rows} again; rejected lines ${rejects}; rows ${lake.rows}`;
  return `${answer.verdict}\n\n${formatted({ columns, rows }, "table")}\n${deliveries}\n`;
}

function gapsText({ gaps, missing }: EpochAudit): string {
  const told = gaps.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const texts = gaps.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  return texts.join(", ") + (told < missing ? " …" : "");
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

forgiveReaders();
main().catch(endWith);
