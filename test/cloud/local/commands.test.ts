import { execFile } from "node:child_process";
import http from "node:http";
import t from "tap";
import { z } from "zod";
import { encodeShipped } from "../../../agent/contract/shipped.ts";
import { lakeFolder, objectName } from "./helpers/lake.ts";
import { linesOf, readingOf } from "./helpers/producer.ts";

interface Ended {
  code: number;
  out: string;
  said: string;
}

function run(program: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [`dist/${program}.js`, ...args], (_error, out, said) =>
      resolve({ code: child.exitCode ?? -1, out, said }),
    );
  });
}

t.test("query", async (t) => {
  const data = t.testdir();
  const folder = lakeFolder(data);
  folder.put(
    objectName(1, "a"),
    linesOf(1, 9) + encodeShipped(readingOf(10, { id: 'say "é, so"', turbine: "T99" })),
  );
  await folder.refresh();
  const query = (...args: string[]) => run("query", "--data", data, ...args);

  const table = await query("SELECT turbine, count(*) AS n FROM readings GROUP BY 1 ORDER BY 1");
  t.equal(table.code, 0);
  t.equal(table.out.split("\n").slice(0, 3).join("\n"), "turbine  n\n───────  ─\nT00      1");
  const json = await query(
    "--format",
    "json",
    "SELECT *, 9007199254740993 AS big, NULL AS none FROM windfarm.readings WHERE seq = 1",
  );
  t.match(JSON.parse(json.out), [
    { seq: 1, date: "2026-11-22T00:00:01.000Z", dt: "2026-11-22", big: "9007199254740993", none: null },
  ]);
  const csv = await query("--format", "csv", "SELECT id, data FROM readings WHERE turbine = 'T99'");
  t.equal(csv.out, 'id,data\r\n"say ""é, so""",1\r\n');
  t.match((await query("--list")).out, /hourly-values +Mean, least and greatest/);
  t.match((await query("--named", "data-volume")).out, /2026-11-22 +gw-01 +10 /);

  const refusals: [args: string[], code: number, sentence: RegExp][] = [
    [["SELECT x FRM readings"], 1, /fails at line 1, column 14: syntax error at or near "readings"/],
    [["  ;"], 2, /there is no query/],
    [["SELECT", "1"], 2, /put it in quotes/],
    [["--named", "nothing"], 2, /no query named nothing\n +try: there are daily-completeness,/],
    [["--format", "xml", "SELECT 1"], 2, /Choices: "table", "csv", "json"/],
    [["--fromat", "csv", "SELECT 1"], 2, /fromat/],
  ];
  for (const [args, code, sentence] of refusals) {
    const ended = await query(...args);
    t.match(ended.said, sentence, args.join(" "));
    t.equal(ended.code, code, `exits ${code}`);
    t.equal(ended.out, "", "with nothing on its output");
  }
  const none = await run("query", "--data", `${data}/elsewhere`, "SELECT 1");
  t.match(none, { code: 1, said: /there is no lake in .*elsewhere\/lake yet/ });
});

t.test("a query reads the lake's table and nothing else", async (t) => {
  const secret = t.testdir({ "secret.csv": "a,b\n1,2\n" });
  const folder = lakeFolder(secret);
  folder.put(objectName(1, "a"), linesOf(1, 5));
  await folder.refresh();
  const refusals: [sql: string, sentence: RegExp][] = [
    ["SELECT\n nope FROM readings", /at line 2, column 2: .*"nope" not found/],
    ["SELECT * FROM turbines", /there is no table turbines/],
    ["", /the query is empty/],
    ["SELECT 1; SELECT 2", /more than one statement/],
    ["DROP VIEW readings", /the lake is read-only/],
    ["SET lock_configuration = false", /the lake is read-only/],
    [`SELECT * FROM read_csv('${secret}/secret.csv')`, /wants other files/],
    [`COPY readings TO '${secret}/out.csv'`, /wants other files/],
    [`COPY (SELECT 1) TO '${folder.lake}/out.csv'`, /the lake is read-only/],
    ["ATTACH 'other.db'", /wants other files|the lake is read-only/],
    ["SELECT getenv('HOME')", /getenv/i],
  ];
  for (const [sql, sentence] of refusals) await t.rejects(folder.rows(sql), { message: sentence }, sql);
  t.same(await folder.rows("SELECT count(*) FROM readings"), [[5n]]);
});

t.test("audit", async (t) => {
  const data = t.testdir();
  const folder = lakeFolder(data);
  const audit = async (...args: string[]) => {
    const ended = await run("audit", "--data", data, "--json", ...args);
    return {
      ...ended,
      answer:
        ended.out === "" ? undefined : z.looseObject({ verdict: z.string() }).parse(JSON.parse(ended.out)),
    };
  };
  t.match(await audit(), { code: 1, said: /no raw objects in .* yet/ });

  folder.put(objectName(1, "a"), linesOf(1, 50));
  folder.put(objectName(2, "b"), `${linesOf(41, 60)}junk\n`);
  await folder.refresh();
  const complete = await audit();
  t.match(complete, { code: 0, answer: { complete: true, delivered: 70, rejects: 1, lake: { rows: 60 } } });
  t.match(complete.answer, { epochs: [{ expected: 60, arrived: 60, duplicates: 10, missing: 0, gaps: [] }] });

  folder.put(objectName(3, "c"), `${linesOf(62, 62)}${linesOf(71, 80)}more junk\n`);
  const gap = await audit();
  t.match(gap, {
    code: 1,
    answer: {
      epochs: [
        {
          missing: 9,
          gaps: [
            [61, 61],
            [63, 70],
          ],
        },
      ],
      lake: { missing: 11 },
    },
  });
  t.match(
    gap.answer?.verdict,
    /9 readings of the gateways' numbering did not arrive; 11 delivered readings not in the table/,
  );
  await folder.refresh();
  const text = await run("audit", "--data", data);
  t.match(text, { code: 1, out: /^Not complete: 9 readings .*\n\ngateway .*\n.*\ngw-01 .* 61, 63–70\n/ });

  folder.put(objectName(4, "d"), linesOf(61, 70));
  await folder.refresh();
  const counts = {
    gateway: "gw-01",
    epoch: "e1",
    received: 85,
    buffered: 2,
    shipped: 83,
    rejected: 0,
    dropped: 0,
  };
  const agent = http.createServer((_request, response) => response.end(JSON.stringify(counts)));
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
  t.teardown(() => agent.close());
  const { port } = z.object({ port: z.number() }).parse(agent.address());
  const behind = await audit("--agent", `http://127.0.0.1:${port}`);
  t.match(behind, {
    code: 1,
    answer: { verdict: /3 readings the agent shipped did not arrive; 2 still wait in the agent/ },
  });
  agent.closeAllConnections();
});
