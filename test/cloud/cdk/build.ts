/** Builds the stacks in this process, with the feature flags of cdk.json and small sources of its own. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { z } from "zod";
import type { Stage } from "../../../cloud/names.ts";
import { type StageSettings, settingsOf } from "../../../cloud/settings.ts";
import type { Sources } from "../../../cloud/sources.ts";
import { type Farm, windFarm } from "../../../cloud/stacks/farm.ts";

export interface Built extends Farm {
  app: App;
  dataTemplate: Template;
  pipelineTemplate: Template;
}

const CdkJson = z.object({ context: z.record(z.string(), z.unknown()) });

/** The feature flags the command line would hand over. */
export function featureFlags(): Record<string, unknown> {
  return CdkJson.parse(JSON.parse(readFileSync("cdk.json", "utf8"))).context;
}

/** A script with its module, a text of the conversion, three named queries, one of them on the raw table, under `folder`. */
export function writeSources(folder: string): Sources {
  const sources = {
    script: join(folder, "jobs/curate.py"),
    modules: join(folder, "jobs"),
    sql: join(folder, "sql"),
  };
  const queries = join(sources.sql, "queries");
  mkdirSync(join(queries, "raw"), { recursive: true });
  mkdirSync(join(sources.modules, "curation"), { recursive: true });
  writeFileSync(join(sources.modules, "curation/days.py"), "print('days')\n");
  writeFileSync(sources.script, "print('curate')\n");
  writeFileSync(join(sources.sql, "curate.sql"), "SELECT 1\n");
  writeFileSync(
    join(queries, "latest.sql"),
    "-- The latest value\n-- per turbine.\nSELECT * FROM readings\n",
  );
  writeFileSync(join(queries, "raw/lines.sql"), "-- Lines.\nSELECT * FROM raw_readings\n");
  writeFileSync(join(queries, "hourly.sql"), "-- Hourly means.\nSELECT avg(data) FROM readings\n");
  return sources;
}

export function build(
  stage: Stage,
  sources: Sources,
  settings: StageSettings = settingsOf(stage, { email: "ops@example.com" }),
): Built {
  // CloudFormation's own rules take seconds a build; the suite "synth" lets them in.
  const app = new App({
    context: featureFlags(),
    analyticsReporting: false,
    builtinCloudFormationValidation: false,
  });
  const farm = windFarm(app, settings, sources);
  return {
    app,
    ...farm,
    dataTemplate: Template.fromStack(farm.data),
    pipelineTemplate: Template.fromStack(farm.pipeline),
  };
}
