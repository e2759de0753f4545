/** Rules the stacks must pass as a whole: cdk-nag, the runbook, the same template from the same sources. */

import { readFileSync, writeFileSync } from "node:fs";
import { App, Stack } from "aws-cdk-lib";
import { PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { AwsSolutionsChecks } from "cdk-nag";
import t from "tap";
import { z } from "zod";
import { ALARMS } from "../../../cloud/alarms.ts";
import { STAGES } from "../../../cloud/names.ts";
import { settingsOf } from "../../../cloud/settings.ts";
import { anchorsOf } from "../anchors.ts";
import { build, writeSources } from "./build.ts";

const sources = writeSources(t.testdir());
const prod = build("prod", sources);
const dev = build("dev", sources);

function findings(stack: Stack): string[] {
  const { violations } = new AwsSolutionsChecks().validateScope(stack);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${constructPath}: ${ruleName}`),
  );
}

t.test("cdk-nag's AwsSolutions finds nothing that isn't acknowledged with its reason", async (t) => {
  for (const { data, pipeline } of [dev, prod]) {
    t.same(findings(data), []);
    t.same(findings(pipeline), []);
  }
});

t.test("and would find an open bucket and a role that may do everything", async (t) => {
  const stack = new Stack(new App(), "careless");
  new Bucket(stack, "Bucket");
  const role = new Role(stack, "Role", { assumedBy: new ServicePrincipal("glue.amazonaws.com") });
  role.addToPolicy(new PolicyStatement({ actions: ["s3:*"], resources: ["*"] }));
  const found = findings(stack).join("\n");
  t.match(found, "AwsSolutions-S1");
  t.match(found, "AwsSolutions-IAM5[Action::s3:*]");
});

t.test("every acknowledgement says why, in a sentence", async (t) => {
  const Acknowledged = z.record(z.string(), z.string());
  const reasons = [prod.data, prod.pipeline]
    .flatMap((stack) => stack.node.findAll())
    .flatMap(({ node }) => node.metadata)
    .filter(({ type }) => type === "aws:cdk:acknowledged-rules")
    .flatMap(({ data }) => Object.entries(Acknowledged.parse(data)));
  t.ok(reasons.length >= 10, `${reasons.length} acknowledgements seen`);
  for (const [rule, reason] of reasons) t.match(reason, /^[A-Z].{30,}\.$/, rule);
});

/** What changes with a script's text and not with the stacks. */
function normalised(template: unknown): unknown {
  return JSON.parse(JSON.stringify(template).replaceAll(/[0-9a-f]{64}/g, "<hash>"));
}

t.test("the templates are those of the snapshots (npx tap --snapshot renews them)", async (t) => {
  for (const [name, { dataTemplate, pipelineTemplate }] of Object.entries({ prod })) {
    for (const [part, template] of Object.entries({ data: dataTemplate, pipeline: pipelineTemplate })) {
      const file = `test/cloud/cdk/snapshots/${name}-${part}.json`;
      const now = normalised(template.toJSON());
      if (process.env.TAP_SNAPSHOT === "1") writeFileSync(file, `${JSON.stringify(now, undefined, 1)}\n`);
      t.same(now, JSON.parse(readFileSync(file, "utf8")), file);
    }
  }
});

t.test("the same sources give the same templates, and other sources other assets", async (t) => {
  const again = build("prod", writeSources(t.testdir()));
  t.same(again.dataTemplate.toJSON(), prod.dataTemplate.toJSON());
  t.same(again.pipelineTemplate.toJSON(), prod.pipelineTemplate.toJSON());

  const other = writeSources(t.testdir({ other: {} }));
  writeFileSync(other.script, "print('another')\n");
  t.notSame(build("prod", other).pipelineTemplate.toJSON(), prod.pipelineTemplate.toJSON());
});

t.test("every alarm links to its article in the runbook", async (t) => {
  const Alarm = z.object({ Properties: z.object({ AlarmName: z.string(), AlarmDescription: z.string() }) });
  for (const stage of STAGES) {
    const { pipelineTemplate } = stage === "dev" ? dev : prod;
    const alarms = Object.values(pipelineTemplate.findResources("AWS::CloudWatch::Alarm")).map((alarm) =>
      Alarm.parse(alarm),
    );
    t.same(
      alarms.map(({ Properties }) => Properties.AlarmName).sort(),
      ALARMS.map((name) => `windfarm-${stage}-${name}`).sort(),
    );
    for (const { Properties } of alarms) {
      const [, file = "", anchor = ""] = /What to do: (\S+)#(\S+)$/.exec(Properties.AlarmDescription) ?? [];
      t.equal(file, settingsOf(stage).runbook);
      t.ok(
        anchorsOf(readFileSync(file, "utf8")).includes(anchor),
        `${Properties.AlarmName} → ${file}#${anchor}`,
      );
    }
  }
});

t.test("settings stay within what the services take", async (t) => {
  for (const stage of STAGES) {
    const { alarms, curation, delivery, queries, stream } = settingsOf(stage);
    t.equal(alarms.silentMinutes % 5, 0, "counted in periods of five minutes");
    t.ok(curation.awaitedHours >= 1 && curation.awaitedHours <= 24, "an alarm looks back a day at most");
    t.ok(delivery.intervalSeconds >= 60 && delivery.intervalSeconds <= 900);
    t.ok(delivery.sizeMiB >= 1 && delivery.sizeMiB <= 16);
    t.ok(queries.scanCutoffBytes >= 10_000_000);
    t.ok(queries.dailyScanBytes > queries.scanCutoffBytes);
    t.ok(stream.retentionHours >= 24 && stream.retentionHours <= 8760);
  }
});

t.test(
  "a stage promises no more readings than its workers load between two runs, in half their time",
  async (t) => {
    const coresOfWorker = 4;
    const loadedByCore = 4_000;
    const hoursBetween = { dev: 6, prod: 1 };
    for (const stage of STAGES) {
      const { workers, timeoutMinutes, keepsUpWith, schedule } = settingsOf(stage).curation;
      t.match(schedule, hoursBetween[stage] === 1 ? "cron(20 * *" : `cron(20 0/${hoursBetween[stage]} *`);
      const loaded = (workers - 1) * coresOfWorker * loadedByCore * (timeoutMinutes / 2) * 60;
      const most = Math.floor(loaded / (hoursBetween[stage] * 3_600));
      t.ok(keepsUpWith <= most, `${stage}: ${keepsUpWith}/s, at most ${most}/s`);
    }
  },
);

t.test("a stage there isn't is refused with the stages there are", async (t) => {
  t.throws(() => settingsOf("staging"), { code: "cloud.stage", exitCode: 2, hint: /dev, prod/ });
});
