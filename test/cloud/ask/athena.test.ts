/** Athena's API in front of DuckDB: what --athena sends, and that both lakes give the same audit. */

import http from "node:http";
import t from "tap";
import { z } from "zod";
import { auditAthena, auditLocal, judge } from "../../../cloud/ask/auditing.ts";
import type { QueryResult } from "../../../cloud/local/lake-reader.ts";
import { queryLake } from "../../../cloud/local/lake-reader.ts";
import { lakeFolder, objectName } from "../local/helpers/lake.ts";
import { linesOf, packed } from "../local/helpers/producer.ts";

process.env.AWS_ACCESS_KEY_ID ??= "test";
process.env.AWS_SECRET_ACCESS_KEY ??= "test";

const Start = z.object({
  QueryString: z.string(),
  WorkGroup: z.string(),
  QueryExecutionContext: z.object({ Database: z.string() }),
});

/** Answers queries over a lake as Athena does: two rows a page, the names as first row, every value a text. */
function athenaOver(lake: string, asked: z.infer<typeof Start>[]): http.Server {
  let result: QueryResult = { columns: [], rows: [] };
  const cell = (value: unknown) => (value === null ? {} : { VarCharValue: `${value}` });
  const answers: Record<string, (body: unknown) => unknown> = {
    StartQueryExecution: async (body) => {
      const start = Start.parse(body);
      asked.push(start);
      result = await queryLake(lake, start.QueryString);
      return { QueryExecutionId: "q" };
    },
    GetQueryExecution: () => ({ QueryExecution: { Status: { State: "SUCCEEDED" } } }),
    GetQueryResults: (body) => {
      const from = Number(z.object({ NextToken: z.string().optional() }).parse(body).NextToken ?? 0);
      const names = { Data: result.columns.map(({ name }) => ({ VarCharValue: name })) };
      const rows = result.rows.slice(from, from + 2).map((row) => ({ Data: row.map(cell) }));
      return {
        ResultSet: {
          ResultSetMetadata: {
            ColumnInfo: result.columns.map(({ name, type }) => ({ Name: name, Type: type.toLowerCase() })),
          },
          Rows: from === 0 ? [names, ...rows] : rows,
        },
        ...(from + 2 < result.rows.length ? { NextToken: `${from + 2}` } : {}),
      };
    },
  };
  return http.createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = answers[`${request.headers["x-amz-target"]}`.split(".").at(-1) ?? ""];
    response.setHeader("content-type", "application/x-amz-json-1.1");
    response.end(JSON.stringify(await answer?.(JSON.parse(Buffer.concat(chunks).toString()))));
  });
}

t.test("both lakes give the same audit of the same raw objects", async (t) => {
  const folder = lakeFolder(t.testdir());
  const state = {
    kind: "gateway",
    gateway: "gw-02",
    site: "demo",
    epoch: "e2",
    first: 8,
    last: 12,
    received: 12,
  };
  const said = ["01:00", "01:20"].map(
    (at) => `${JSON.stringify({ ...state, sent: `2026-11-22T${at}:00.000Z` })}\n`,
  );
  const second = { gateway: "gw-02", epoch: "e2" };
  folder.put(objectName(1, "a"), Buffer.concat([packed(linesOf(1, 50)), packed(said.join(""))]));
  folder.put(objectName(1, "b"), linesOf(41, 60));
  folder.put(objectName(2, "lost ones after it"), linesOf(62, 62) + linesOf(71, 80) + linesOf(91, 95));
  folder.put(objectName(2, "another epoch"), linesOf(1, 3, second) + linesOf(6, 7, second));
  folder.put(objectName(2, "equal"), linesOf(1, 5, { epoch: "e3" }));
  await folder.refresh();

  const asked: z.infer<typeof Start>[] = [];
  const server = athenaOver(folder.lake, asked);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const endpoint = `http://127.0.0.1:${port}`;
  const local = await auditLocal(folder.raw, folder.lake);
  const athena = await auditAthena({ workgroup: "north-shore", region: "us-east-1", endpoint });
  t.same(athena.epochs, local.epochs);
  t.match(local.epochs, [
    {
      epoch: "e1",
      missing: 19,
      pending: 0,
      duplicates: 10,
      equal: 0,
      gaps: [
        [61, 61],
        [63, 70],
        [81, 90],
      ],
    },
    { epoch: "e3", arrived: 5, missing: 0, equal: 5, equalDup: 0, gaps: [] },
    { gateway: "gw-02", expected: 12, missing: 2, pending: 5, gaps: [[4, 5]] },
  ]);
  t.equal(athena.delivered, local.delivered);
  t.match(athena.lake, { rows: local.lake.rows, doubled: 0 });
  t.same(judge(athena, undefined), judge(local, undefined));
  t.match(asked, [{ WorkGroup: "north-shore", QueryExecutionContext: { Database: "north_shore" } }]);
});
