/** What a deployed stage tells a gateway: read from the outputs of its stack, never typed by hand. */

import { type CloudFormationClient, DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { codeOf, Fault, messageOf } from "../../agent/errors.ts";
import { GATEWAY_OUTPUTS, type StageSettings } from "../settings.ts";

export type GatewayOutputs = Record<keyof typeof GATEWAY_OUTPUTS, string>;

/** Throws a Fault where the stage isn't deployed or its stack is too old to say all this. */
export async function readOutputs(
  client: CloudFormationClient,
  settings: StageSettings,
): Promise<GatewayOutputs> {
  const stack = settings.names.pipelineStack;
  const found = await describe(client, stack, settings);
  const output = (name: string): string => {
    const value = found.get(name);
    if (value !== undefined) return value;
    throw new Fault("provision.outputs", `the stack ${stack} has no output ${name}`, {
      hint: `Deploy the stage as it is now: ${deployment(settings)}.`,
    });
  };
  const { stream, region, roleAlias, policy } = GATEWAY_OUTPUTS;
  return {
    stream: output(stream),
    region: output(region),
    roleAlias: output(roleAlias),
    policy: output(policy),
  };
}

async function describe(
  client: CloudFormationClient,
  stack: string,
  settings: StageSettings,
): Promise<Map<string, string>> {
  try {
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: stack }));
    const outputs = Stacks?.[0]?.Outputs ?? [];
    return new Map(outputs.map(({ OutputKey, OutputValue }) => [OutputKey ?? "", OutputValue ?? ""]));
  } catch (error) {
    if (!isMissingStack(error)) throw error;
    throw new Fault(
      "provision.not_deployed",
      `the stage ${settings.stage} is not deployed: no stack ${stack} in ${settings.region}`,
      {
        hint: `Deploy it first (${deployment(settings)}), or use the credentials of its account.`,
        cause: error,
      },
    );
  }
}

function deployment({ stage, names, region }: StageSettings): string {
  return `npx cdk deploy -c stage=${stage} -c name=${names.name} -c region=${region} --all`;
}

/** CloudFormation answers a stack there isn't with a plain ValidationError; only its text tells it from others. */
function isMissingStack(error: unknown): boolean {
  const code = error instanceof Error ? error.name : codeOf(error);
  return code === "ValidationError" && /does not exist/.test(messageOf(error));
}
