/** The texts the stack hands to the job are those of the repository: the conversion, and queries that it counts with. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { sourcesIn } from "../../../cloud/sources.ts";
import { build } from "../cdk/build.ts";

t.test("the job reads the texts as they stand", async (t) => {
  const { sql } = sourcesIn(resolve("."));
  const { directory } = build("dev", sourcesIn(resolve("."))).app.synth();
  const assets = readdirSync(directory).map((name) => join(directory, name));
  const [texts, ...others] = assets.filter((asset) => existsSync(join(asset, "curate.sql")));
  t.same(others, [], "one asset of texts");
  const textsIn = (folder: string) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".sql"))
      .sort();
  const names = textsIn(texts ?? "");
  t.same(names, textsIn(sql));
  for (const name of names)
    t.equal(readFileSync(join(texts ?? "", name), "utf8"), readFileSync(join(sql, name), "utf8"), name);
});
