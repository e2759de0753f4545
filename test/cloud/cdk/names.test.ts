/** Two farms fit one account: what AWS wants unique carries the farm's name, and the region is the chosen one everywhere. */

import type { Template } from "aws-cdk-lib/assertions";
import t from "tap";
import { settingsOf } from "../../../cloud/settings.ts";
import { build, writeSources } from "./build.ts";
import { has } from "./has.ts";

const sources = writeSources(t.testdir());
const farm = build("dev", sources, settingsOf("dev", { name: "north-shore", region: "eu-central-1" }));
const usual = build("dev", sources);

/** Names of AWS' that a template fixes, by their properties. */
function fixedNames(template: Template): string[] {
  const text = JSON.stringify(template.toJSON());
  const property =
    /"(?:[A-Z]\w*Name|Name|RoleAlias|Database|WorkGroup|AliasName|LogGroupName|ExportName)":"([^"]+)"/g;
  return [...text.matchAll(property)].map(([, name]) => name ?? "");
}

t.test("every name of its own is the farm's", async (t) => {
  t.equal(farm.data.stackName, "north-shore-dev-data");
  t.equal(farm.pipeline.stackName, "north-shore-dev-pipeline");
  has(t, farm.dataTemplate, "AWS::Kinesis::Stream", { Name: "north-shore-readings" });
  has(t, farm.dataTemplate, "AWS::Glue::Database", { DatabaseInput: { Name: "north_shore" } });
  has(t, farm.dataTemplate, "AWS::KMS::Alias", { AliasName: "alias/north-shore-dev" });
  has(t, farm.pipelineTemplate, "AWS::KinesisFirehose::DeliveryStream", {
    DeliveryStreamName: "north-shore-readings",
  });
  has(t, farm.pipelineTemplate, "AWS::Athena::WorkGroup", { Name: "north-shore" });
  has(t, farm.pipelineTemplate, "AWS::IoT::RoleAlias", { RoleAlias: "north-shore-dev-gateway" });
  has(t, farm.pipelineTemplate, "AWS::Glue::Job", {
    Name: "north-shore-dev-curate",
    DefaultArguments: {
      "--database": "north_shore",
      "--farm": "north-shore-dev",
    },
  });
});

t.test("no name is shared with the usual farm beside it, but those of the lake's layout", async (t) => {
  for (const part of ["dataTemplate", "pipelineTemplate"] as const) {
    const taken = new Set(fixedNames(usual[part]));
    const shared = fixedNames(farm[part]).filter((name) => taken.has(name) && /windfarm|^dev/.test(name));
    t.same([...new Set(shared)], [], part);
  }
});

t.test("and nothing of the usual farm or region is spelled in it", async (t) => {
  const text = JSON.stringify([farm.dataTemplate.toJSON(), farm.pipelineTemplate.toJSON()]);
  t.notMatch(text, /us-east-1/);
  t.same([...new Set(text.match(/windfarm-[a-z-]+/g))], []);
});

t.test("a name, a region or an address that can't be one is refused with an example", async (t) => {
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ name: "North" }, /"North" can't be a farm's name/],
    [{ name: "north--shore" }, /can't be a farm's name/],
    [{ name: "x".repeat(25) }, /can't be a farm's name/],
    [{ name: "1st" }, /can't be a farm's name/],
    [{ name: true }, /"true" can't be a farm's name/],
    [{ region: "Frankfurt" }, /"Frankfurt" can't be a region/],
    [{ region: "eu-central" }, /can't be a region/],
    [{ email: "ops" }, /"ops" can't be an address that alarms can be mailed to/],
    [{ email: "ops@example.com,,me@example.com" }, /can't be an address/],
  ];
  for (const [choice, message] of refused)
    t.throws(() => settingsOf("dev", choice), { message, exitCode: 2, hint: /-c / }, JSON.stringify(choice));
});
