import { readFileSync } from "node:fs";
import t from "tap";
import { parseOptions } from "../../../cloud/ask/query-options.ts";

const FILE = "cloud/sql/queries/data-volume.sql";

t.test("A query is a text, a named one, or a file's", async (t) => {
  const text = readFileSync(FILE, "utf8");
  t.match(parseOptions(["SELECT 1"]), { sql: "SELECT 1", format: "table", athena: undefined });
  t.equal(parseOptions(["--named", "data-volume"]).sql, text);
  t.equal(parseOptions(["--file", FILE, "--json"]).sql, text);
  t.equal(parseOptions(["--list"]).sql, undefined);
});

t.test("A text that begins with a comment is no option", async (t) => {
  for (const sql of [readFileSync(FILE, "utf8"), "-- all\nSELECT 1", "--all of them\nSELECT 1 = 1", "-- x"]) {
    t.equal(parseOptions([sql, "--format", "csv"]).sql?.trim(), sql.trim());
  }
});

const WRONG: [args: string[], message: RegExp][] = [
  [["  ;"], /there is no query/],
  [["SELECT", "1"], /put it in quotes/],
  [["--named", "nothing"], /no query named nothing/],
  [["--format", "xml", "SELECT 1"], /Choices: "table", "csv", "json"/],
  [["--fromat", "csv", "SELECT 1"], /fromat/],
  [["--named", "data-volume", "SELECT 1"], /--named and a query are both given/],
  [["--list", "--named", "data-volume"], /--list and --named are both given/],
  [["--file", "nowhere.sql"], /--file nowhere\.sql can't be read: ENOENT/],
  [["--file"], /Not enough arguments following: file/],
];
for (const [args, message] of WRONG) {
  t.test(`Wrong usage: ${args.join(" ")}`, async (t) => {
    t.throws(() => parseOptions(args), { message, exitCode: 2, hint: /\w/ });
  });
}
