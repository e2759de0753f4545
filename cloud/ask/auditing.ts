/** What an audit finds, from either lake in the same words, and what to say of it. */

import { z } from "zod";
import { countOf } from "../../agent/common/format.ts";
import { Fault } from "../../agent/errors.ts";
import type { QueryResult } from "../local/lake-reader.ts";
import { namedQueries } from "../sql/read.ts";
import type { AthenaSettings } from "./athena.ts";
import { auditLake } from "./audit-local.ts";

export interface EpochAudit {
  gateway: string;
  epoch: string;
  /** As many readings as the gateway has numbered so far, as far as the lake knows. */
  expected: number;
  /** Different seqs that arrived. */
  arrived: number;
  /** Deliveries beyond the first of a seq. */
  duplicates: number;
  /** Numbered, not arrived, and not with the gateway any more. */
  missing: number;
  /** Numbered and not arrived, and still with the gateway as it last said. */
  pending: number;
  /** Deliveries that are no rows because an equal one is; of those with MQTT's DUP flag. */
  equal: number;
  equalDup: number;
  /** Rows beyond one a seq. */
  doubled: number;
  /** Ranges of missing seqs, the first few. */
  gaps: [first: number, last: number][];
}

export interface Audit {
  epochs: EpochAudit[];
  /** Lines that are readings; lines that are none, where they were counted. */
  delivered: number;
  rejects?: number;
  lake: {
    rows: number;
    doubled: number;
    /** Readings in raw objects that are not in the table, and rows that no raw object explains; the local lake's only. */
    missing?: number;
    unexplained?: number;
  };
}

/** What an agent says; its counters are of the buffer file, which may hold readings of earlier epochs too. */
export interface AgentCounts {
  gateway: string;
  epoch: string;
  buffered: number;
  dropped: number;
  /** lastSeq: how many readings of the present epoch it has numbered. */
  buffer: { lastSeq: number };
}

/** Ranges told of an epoch at most. */
const GAPS_TOLD = 20;
const NAME = "delivery-gaps";
const Count = z.coerce.number();
const Row = z.object({
  gateway: z.string(),
  epoch: z.string(),
  expected: Count,
  arrived: Count,
  missing: Count,
  pending: Count,
  again: Count,
  equal: Count,
  equal_dup: Count,
  doubled: Count,
  missing_first: Count.nullable(),
  missing_last: Count.nullable(),
});
type Row = z.infer<typeof Row>;

/** The local lake, counted anew. */
export async function auditLocal(raw: string, lake: string): Promise<Audit> {
  const { gaps, ...counted } = await auditLake(raw, lake, gapsSql(), Row);
  return { epochs: epochsOf(gaps), ...counted };
}

/** The lake on AWS, as its tables tell. */
export async function auditAthena(settings: AthenaSettings): Promise<Audit> {
  // Loaded only when asked for: the SDK takes longer to load than an audit takes here.
  const { queryAthena } = await import("./athena.ts");
  return auditOf(await queryAthena(gapsSql(), settings));
}

/** What the answer of `delivery-gaps` over the tables says. */
export function auditOf(answer: QueryResult): Audit {
  const epochs = epochsOf(rowsOf(answer));
  const sum = (count: (epoch: EpochAudit) => number) => epochs.reduce((all, epoch) => all + count(epoch), 0);
  const doubled = sum((epoch) => epoch.doubled);
  return {
    epochs,
    delivered: sum(({ arrived, duplicates }) => arrived + duplicates),
    lake: { rows: sum(({ arrived, equal }) => arrived - equal) + doubled, doubled },
  };
}

function gapsSql(): string {
  const sql = namedQueries().find(({ name }) => name === NAME)?.sql;
  if (sql !== undefined) return sql;
  throw new Fault("audit.query", `the named query ${NAME} is missing`, {
    hint: "restore cloud/sql/queries from the repository",
  });
}

function rowsOf({ columns, rows }: QueryResult): Row[] {
  return rows.map((values) =>
    Row.parse(Object.fromEntries(columns.map(({ name }, at) => [name, values[at]]))),
  );
}

/** The query has a row for each missing range; an epoch without one has a row too. */
function epochsOf(rows: readonly Row[]): EpochAudit[] {
  const epochs: EpochAudit[] = [];
  for (const { again, equal_dup: equalDup, missing_first: first, missing_last: last, ...counts } of rows) {
    const { gateway, epoch } = counts;
    let found = epochs.find((one) => one.gateway === gateway && one.epoch === epoch);
    if (found === undefined) {
      found = { ...counts, duplicates: again, equalDup, gaps: [] };
      epochs.push(found);
    }
    if (first !== null && last !== null && found.gaps.length < GAPS_TOLD) found.gaps.push([first, last]);
  }
  return epochs;
}

/** Complete unless something is missing or doubled; what is pending is neither. */
export function judge(audit: Audit, agent: AgentCounts | undefined): { complete: boolean; verdict: string } {
  const sum = (count: (epoch: EpochAudit) => number) =>
    audit.epochs.reduce((all, epoch) => all + count(epoch), 0);
  const { doubled, missing = 0, unexplained = 0 } = audit.lake;
  const lost = shippedButAbsent(audit, agent);
  const found: [count: number, noun: string, what: string][] = [
    [sum((epoch) => epoch.missing), "reading", " of the gateways' numbering did not arrive"],
    [missing, "delivered reading", " not in the table"],
    [doubled, "reading", " in the table more than once"],
    [unexplained, "row", " of the table without a raw object"],
    [lost, "reading", " the agent shipped did not arrive"],
  ];
  const problems = found
    .filter(([count]) => count > 0)
    .map(([count, noun, what]) => `${countOf(count, noun)}${what}`);
  const pending = sum((epoch) => epoch.pending);
  const { dropped = 0, buffered = 0 } = agent ?? {};
  const notes = [
    ...(problems.length > 0 && dropped > 0
      ? [`the agent dropped ${dropped} because its buffer was full`]
      : []),
    ...(pending > 0 ? [`${pending} still to come, as the gateways say`] : []),
    ...(buffered > 0 ? [`${buffered} still wait in the agent`] : []),
  ];
  const verdict =
    problems.length > 0
      ? `Not complete: ${problems.join("; ")}`
      : "Complete: every reading that was sent is in the table, once";
  return { complete: problems.length === 0, verdict: `${[verdict, ...notes].join("; ")}.` };
}

/** Readings the agent has numbered in its present epoch, and no longer has, of which the lake knows nothing. */
function shippedButAbsent({ epochs }: Audit, agent: AgentCounts | undefined): number {
  if (agent === undefined) return 0;
  const own = epochs.find(({ gateway, epoch }) => gateway === agent.gateway && epoch === agent.epoch);
  return Math.max(0, agent.buffer.lastSeq - (own?.expected ?? 0) - agent.buffered - agent.dropped);
}
