import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { DEFAULT_SENSORS } from "../../../agent/contract/sensors.ts";
import { LAYOUT } from "../../../cloud/layout.ts";
import { LAST_DAYS, namedQueries, sqlFolder } from "../../../cloud/sql/read.ts";

import { ASKED_AT } from "./moment.ts";

/** What not all of Spark SQL, Trino and DuckDB read, or read alike; the reason is the test's message. */
const UNPORTABLE: [RegExp, string][] = [
  [/"/, "a quoted identifier is a string in Spark"],
  [/`/, "a backtick is Spark's alone"],
  [/\bQUALIFY\b/i, "Trino has no QUALIFY"],
  [/\bEXCLUDE\b/i, "EXCLUDE is DuckDB's alone"],
  [/\bdate_format\b|\bfrom_iso8601|\bstrftime\b/i, "each engine has its own date formats"],
  [/(?<!TRY_)\bCAST\((?!\s*(0|count\())/i, "a cast that fails ends the query; TRY_CAST gives NULL"],
  [/\bAS (varchar\b(?!\()|string\b|text\b)/i, "only varchar(n) is a type everywhere"],
  [/::/, "a cast with :: is DuckDB's"],
  [/\bINTERVAL\s+\d/i, "an interval's number is quoted"],
  [/\bGROUP BY ALL\b|\bORDER BY ALL\b/i, "ALL is DuckDB's"],
  [/\b(date_diff|datediff|timestampdiff|epoch\()/i, "each engine has its own difference of times"],
  [/\\/, "a backslash escapes in Spark's strings"],
  [/;\s*$/, "Athena's named queries take no semicolon"],
];

function texts(folder: string): [name: string, sql: string][] {
  const files = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  return files.map((name) => [name, readFileSync(join(folder, name), "utf8").replace(/^--.*$/gm, "")]);
}

t.test("every text keeps to what the three engines read alike", async (t) => {
  for (const [name, sql] of [
    ...texts(sqlFolder()),
    ...texts(join(sqlFolder(), "queries")),
    ...texts(join(sqlFolder(), "queries/raw")),
  ]) {
    for (const [pattern, why] of UNPORTABLE) t.notMatch(sql, pattern, `${name}: ${why}`);
  }
});

t.test("the rules find what they are for", async (t) => {
  const offences = [
    'SELECT "date"',
    "SELECT `x`",
    "QUALIFY 1",
    "CAST(x AS varchar)",
    "INTERVAL 1 HOUR",
    "x::date",
    "SELECT 1;",
  ];
  for (const sql of offences)
    t.ok(
      UNPORTABLE.some(([pattern]) => pattern.test(sql)),
      sql,
    );
});

t.test("the conversion gives every field of the contract", async (t) => {
  const curate = readFileSync(join(sqlFolder(), "curate.sql"), "utf8");
  t.match(curate, new RegExp(`SELECT ${Object.keys(LAYOUT.fields).join(", ")}, dt, shelf\n`));
});

t.test("the ranges of the episodes are those of the contract", async (t) => {
  const episodes = namedQueries().find(({ name }) => name === "out-of-range-episodes")?.sql ?? "";
  const sensors = Object.values(DEFAULT_SENSORS);
  const cases = sensors.map(
    ({ type, plausible: { min, max } }) =>
      `WHEN type = '${type}' AND data NOT BETWEEN ${min} AND ${max} THEN 1`,
  );
  t.same(episodes.match(/WHEN type .*/g), cases);
});

t.test(
  "every question to the table is about its last days, unless it is whether everything arrived",
  async (t) => {
    for (const { name, sql } of namedQueries().filter(({ sql }) => /FROM readings/.test(sql)))
      t.equal(sql.includes(LAST_DAYS), name !== "delivery-gaps", name);
  },
);

t.test("what depends on the moment of asking says so in a form all three read", async (t) => {
  const asking = namedQueries().filter(({ sql }) =>
    /\bnow\b|current_|localtime/i.test(sql.replace(/^--.*$/gm, "")),
  );
  t.same(
    asking.map(({ name }) => name),
    namedQueries()
      .map(({ name }) => name)
      .filter((name) => name !== "delivery-gaps"),
  );
  for (const { name, sql } of asking) t.notMatch(sql.replaceAll(ASKED_AT, ""), /current_timestamp/, name);
});

t.test("every named query begins with what it answers", async (t) => {
  for (const { name, title, description } of namedQueries()) {
    t.match(title, /^[A-Z].*\.$/, name);
    t.ok(description.length > title.length + 80, `${name} says more`);
  }
  t.equal(namedQueries().length, 9);
});
