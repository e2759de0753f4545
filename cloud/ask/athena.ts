/** The same SQL text in Athena. */

import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type Row,
  StartQueryExecutionCommand,
} from "@aws-sdk/client-athena";
import { Fault, messageOf } from "../../agent/errors.ts";
import type { QueryResult } from "../local/lake-reader.ts";

export interface AthenaSettings {
  workgroup: string;
  region?: string;
  /** Of a stand-in for tests. */
  endpoint?: string;
}

/** Pause between two looks at a running query, ms. */
const POLL_MS = 500;

/** Runs one query in the workgroup, which says where results go and how much may be scanned. */
export async function queryAthena(sql: string, settings: AthenaSettings): Promise<QueryResult> {
  const { workgroup, region, endpoint } = settings;
  const client = new AthenaClient({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
  });
  try {
    const started = await client.send(
      new StartQueryExecutionCommand({
        QueryString: sql,
        WorkGroup: workgroup,
        // A second farm's database is named like its workgroup (cloud/names.ts).
        QueryExecutionContext: { Database: workgroup.replaceAll("-", "_") },
      }),
    );
    const id = started.QueryExecutionId ?? "";
    await finished(client, id);
    return await results(client, id);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault("athena.failed", `Athena did not answer: ${messageOf(error)}`, {
      hint: "check the region, the credentials (aws sts get-caller-identity) and the name of the workgroup",
      cause: error,
    });
  } finally {
    client.destroy();
  }
}

async function finished(client: AthenaClient, id: string): Promise<void> {
  for (;;) {
    const { QueryExecution: query } = await client.send(
      new GetQueryExecutionCommand({ QueryExecutionId: id }),
    );
    const state = query?.Status?.State;
    if (state === "SUCCEEDED") return;
    if (state === "FAILED" || state === "CANCELLED") throw failed(query?.Status?.StateChangeReason ?? state);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function failed(reason: string): Fault {
  if (/bytes scanned limit/i.test(reason)) {
    return new Fault(
      "athena.scan_limit",
      "the query would read more than the workgroup allows, so Athena stopped it",
      {
        hint: "name the days: WHERE dt BETWEEN '2026-11-01' AND '2026-11-22'; and only the columns needed",
      },
    );
  }
  return new Fault("athena.query", `Athena refused the query: ${reason.split("\n")[0]}`, {
    hint: "npm run query -- --list shows queries that work in Athena too",
  });
}

async function results(client: AthenaClient, id: string): Promise<QueryResult> {
  const rows: unknown[][] = [];
  let columns: { name: string; type: string }[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(
      new GetQueryResultsCommand({
        QueryExecutionId: id,
        ...(token === undefined ? {} : { NextToken: token }),
      }),
    );
    const info = page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? [];
    const first = token === undefined;
    columns = info.map((column) => ({ name: column.Name ?? "", type: (column.Type ?? "").toUpperCase() }));
    // The first row of the first page repeats the names.
    const found = (page.ResultSet?.Rows ?? []).slice(first ? 1 : 0);
    rows.push(...found.map((row) => values(row, columns)));
    token = page.NextToken;
  } while (token !== undefined);
  return { columns, rows };
}

function values(row: Row, columns: readonly { type: string }[]): unknown[] {
  return columns.map(({ type }, index) => {
    const text = row.Data?.[index]?.VarCharValue;
    if (text === undefined) return null;
    if (/INT/.test(type)) return BigInt(text);
    if (/DOUBLE|FLOAT|DECIMAL/.test(type)) return Number(text);
    if (/TIMESTAMP/.test(type)) return new Date(`${text.replace(" ", "T")}Z`);
    return text;
  });
}
