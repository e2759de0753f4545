/** What the Glue job does with S3 and Glue, against moto's: no Spark here, the same Python. */

import { join } from "node:path";
import t from "tap";
import { motoMissing, runPython } from "./spark.ts";

const skip = motoMissing();

t.test("the job's parts that speak to AWS", { skip, timeout: 120_000 }, async (t) => {
  const { code, stdout, stderr } = await runPython([join(import.meta.dirname, "aws_parts.py")], t.testdir());
  t.equal(code, 0, stderr.slice(-2000));
  const said = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");

  t.equal(said.listed, true, "all pages of a folder are listed, without objects that lie elsewhere");
  t.equal(said.prepared, true, "the table's folder is marked as one");
  t.equal(said.nothing, null, "an object that is not there is none");
  t.equal(said.travels, "x", "a store travels to the executors and reads there");
  t.equal(said.unknown, 2);
  t.match(said.stillUnknown, [/0002.gz$/], "what the index has is not read again");
  t.equal(said.otherText, 2, "but what another text has read is");
  t.equal(said.removed, null);
  t.same(said.days, { "2026-11-22": [2, 4] });
  t.same(said.superseded, [0, 1], "a version is given up a day after another took its place");
  t.same(said.tags, {
    "20261101T000000000Z": [{ Key: "windfarm:superseded", Value: "true" }],
    "20261102T000000000Z": [],
  });
  t.same(said.replaced, [true, false, true, false, false], "a run that was overtaken replaces nothing");
  t.equal(said.location, "s3://lake/curated/readings/dt=2026-11-22/v=3/");
  t.same(said.day, ["3", 3, 9, 1, 4]);
  t.same(
    Object.keys(said.texts),
    ["check", "curate", "rejects"],
    "the texts come out of the zip of the stack",
  );
});
