/** What the Glue job does with S3, SNS and CloudWatch, against moto's: no Spark here, the same Python. */

import { join } from "node:path";
import t from "tap";
import { motoMissing, runPython } from "./spark.ts";

const skip = motoMissing();

t.test("the job's parts that speak to AWS", { skip, timeout: 120_000 }, async (t) => {
  const { code, stdout, stderr } = await runPython([join(import.meta.dirname, "aws_parts.py")], t.testdir());
  t.equal(code, 0, stderr.slice(-2000));
  const said = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");

  t.equal(said.listed, true, "all pages of a folder are listed, without objects that lie elsewhere");
  t.equal(said.listed_since, true, "or those behind a key");
  t.equal(said.size, 2);
  t.equal(said.nothing, null, "an object that is not there is none");
  t.equal(said.travels, "xy", "a store travels to the executors and reads there");
  t.equal(said.texts, true, "the texts come out of the zip of the stack");
  t.equal(said.subject, "windfarm: 2 gateways fell silent, 1 came back");
  t.equal(said.message, "Silent for more than an hour: gw-01, gw-02.\nHeard again: gw-03.");
  const dimensions = [{ Name: "Farm", Value: "farm" }];
  t.same(said.metrics, [
    ["Missing", dimensions],
    ["SecondsBehind", dimensions],
  ]);
});
