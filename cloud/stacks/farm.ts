/** The two stacks of one stage, with their tags and the rules they must pass. */

import { type App, Tags, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import type { StageSettings } from "../settings.ts";
import type { Sources } from "../sources.ts";
import { DataStack } from "./data-stack.ts";
import { PipelineStack } from "./pipeline-stack.ts";

/** CloudFormation took tags here only lately, and not everywhere. */
const UNTAGGED = ["AWS::CloudWatch::Dashboard"];

export interface Farm {
  data: DataStack;
  pipeline: PipelineStack;
}

/** Adds a stage's stacks to `app`. */
export function windFarm(app: App, settings: StageSettings, sources: Sources): Farm {
  const { stage, region, names } = settings;
  const tags = { application: "windfarm", farm: names.name, stage };
  const env = { region };
  const data = new DataStack(app, names.dataStack, {
    settings,
    env,
    tags,
    description: `${names.farm}: what holds data; never deleted`,
  });
  const pipeline = new PipelineStack(app, names.pipelineStack, {
    settings,
    sources,
    data,
    env,
    tags,
    description: `${names.farm}: what moves and serves the data`,
  });
  for (const [name, value] of Object.entries(tags))
    Tags.of(app).add(name, value, { excludeResourceTypes: UNTAGGED });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { data, pipeline };
}
