import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import t from "tap";
import { z } from "zod";
import { encodeShipped } from "../../../agent/contract/shipped.ts";
import { tableFiles } from "../../../cloud/local/catalog.ts";
import { plainNode } from "../../helpers/node.ts";
import { lakeFolder, objectName } from "./helpers/lake.ts";
import { linesOf, readingOf } from "./helpers/producer.ts";

interface Ended {
  code: number;
  out: string;
  said: string;
}

function run(program: string, ...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(...plainNode([`dist/${program}.js`, ...args]), (_error, out, said) =>
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
  t.match((await query("--named", "data-volume")).out, /readings_per_second/);
  const dates = "-- a day\nSELECT DATE '2026-01-01' AS day, TIMESTAMP '2026-01-01 00:00:00' AS moment";
  t.match((await query(dates)).out, /^2026-01-01 {2}2026-01-01T00:00:00\.000Z$/m);

  const refusals: [args: string[], code: number, sentence: RegExp][] = [
    [["SELECT x FRM readings"], 1, /fails at line 1, column 14: syntax error at or near "readings"/],
    [["--named", "nothing"], 2, /no query named nothing\n +try: there are daily-completeness,/],
    [
      ["SELECT nope FROM readings"],
      1,
      /"nope" not found.*\n +try: the columns of readings are id, data, .*, dt\n/,
    ],
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
  // Nothing is written into the lake that is looked at: its reader may not be allowed to.
  writeFileSync(join(folder.lake, "tmp-audit"), "in the way");
  const complete = await audit();
  t.match(complete, { code: 0, answer: { complete: true, delivered: 70, rejects: 1, lake: { rows: 60 } } });
  t.match(complete.answer, { epochs: [{ expected: 60, arrived: 60, duplicates: 10, missing: 0, gaps: [] }] });

  folder.put(objectName(3, "c"), `${linesOf(62, 62)}${linesOf(71, 80)}more junk\n`);
  const gap = await audit();
  const gaps = [
    [61, 61],
    [63, 70],
  ];
  t.match(gap, { code: 1, answer: { epochs: [{ missing: 9, pending: 0, gaps }], lake: { missing: 11 } } });
  t.match(
    gap.answer?.verdict,
    /9 readings of the gateways' numbering did not arrive; 11 delivered readings not in the table/,
  );
  await folder.refresh();
  const text = await run("audit", "--data", data);
  t.match(text, { code: 1, out: /^Not complete: 9 readings .*\n\ngateway .*\n.*\ngw-01 .* 61, 63–70\n/ });

  // The gateway still has from 63 on, as it said twice, a quarter of an hour apart.
  const state = {
    kind: "gateway",
    gateway: "gw-01",
    site: "demo",
    epoch: "e1",
    first: 63,
    last: 90,
    received: 90,
  };
  const said = ["03:00", "03:20"].map(
    (at) => `${JSON.stringify({ ...state, sent: `2026-11-22T${at}:00.000Z` })}\n`,
  );
  folder.put(objectName(3, "d"), said.join(""));
  await folder.refresh();
  const pending = await audit();
  t.match(pending, {
    code: 1,
    answer: { epochs: [{ expected: 90, missing: 1, pending: 18, gaps: [[61, 61]] }] },
  });
  folder.put(objectName(4, "e"), linesOf(61, 61));
  await folder.refresh();
  const waiting = await audit();
  t.match(waiting, {
    code: 0,
    answer: { complete: true, verdict: /; 18 still to come, as the gateways say\.$/ },
  });

  // Of an agent's counters those of another epoch, or salvaged from one, are no measure of this one.
  const counts = {
    ...{
      gateway: "gw-01",
      epoch: "e1",
      received: 2_000,
      buffered: 2,
      shipped: 1_998,
      rejected: 0,
      dropped: 0,
    },
    buffer: { lastSeq: 92 },
  };
  const agent = http.createServer((_request, response) => response.end(JSON.stringify(counts)));
  await new Promise<void>((resolve) => agent.listen(0, "127.0.0.1", resolve));
  t.teardown(() => agent.close());
  const { port } = z.object({ port: z.number() }).parse(agent.address());
  const url = `http://127.0.0.1:${port}`;
  t.match(await audit("--agent", url), {
    code: 0,
    answer: { verdict: /2 still wait in the agent/, agent: counts },
  });
  counts.buffer.lastSeq = 95;
  const behind = await audit("--agent", url);
  t.match(behind, { code: 1, answer: { verdict: /3 readings the agent shipped did not arrive/ } });
  Object.assign(counts, { epoch: "e2", buffer: { lastSeq: 2 } });
  t.match(await audit("--agent", url), { code: 0 }, "an epoch that has only begun");
  agent.closeAllConnections();
});

t.test("audit: a row that is in the table twice", async (t) => {
  const data = t.testdir();
  const folder = lakeFolder(data);
  folder.put(objectName(1, "a"), linesOf(1, 5));
  await folder.refresh();
  const [file = ""] = tableFiles(folder.lake) ?? [];
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE t AS FROM '${file}' UNION ALL (FROM '${file}' LIMIT 1)`);
  await connection.run(`COPY t TO '${file}'`);
  connection.closeSync();
  const ended = await run("audit", "--data", data, "--json");
  t.match(ended, { code: 1, out: /1 reading in the table more than once/ });
  t.match(JSON.parse(ended.out), { epochs: [{ doubled: 1, missing: 0 }], lake: { rows: 6, doubled: 1 } });
});

t.test("cloud: a name that Kinesis would not take is wrong usage", async (t) => {
  for (const [option, value] of [
    ["--stream", "a b"],
    ["--region", "us east"],
  ] as const) {
    const ended = await run(
      "cloud",
      option,
      value,
      "--port",
      "0",
      "--control-port",
      "0",
      "--data",
      t.testdir(),
    );
    t.match(ended, { code: 2, said: `${option} "${value}" is not fit: ` });
    t.notMatch(ended.said, /\n {4}at /, "without a stack");
  }
});

t.test("every program says its version", async (t) => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync("package.json", "utf8")));
  const programs = ["start", "simulate", "cloud", "query", "audit", "report", "provision", "bench"];
  const ended = await Promise.all(programs.map((program) => run(program, "--version")));
  for (const [index, program] of programs.entries()) {
    t.strictSame(ended[index], { code: 0, out: `${version}\n`, said: "" }, program);
  }
});

t.test("a reader that closes the output early is no error", async (t) => {
  const data = t.testdir();
  const folder = lakeFolder(data);
  folder.put(objectName(1, "a"), linesOf(1, 50));
  await folder.refresh();
  for (const [program = "", ...args] of [
    ["audit", "--data", data],
    ["query", "--data", data, "SELECT * FROM range(100000)"],
    ["simulate", "--count", "1", "--broker", "mqtt://127.0.0.1:1", "--once"],
    ["bench", "--list"],
  ]) {
    const child = spawn(...plainNode([`dist/${program}.js`, ...args]), {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await once(child, "close");
    t.notMatch(said, /EPIPE|\n {4}at /, program);
  }
});
