/** Reads IAM policies out of a template, with references as short text. */

import type { Template } from "aws-cdk-lib/assertions";
import { z } from "zod";

const OneOrMore = z
  .union([z.unknown().array(), z.unknown()])
  .transform((value) => (Array.isArray(value) ? value : [value]));
const Statement = z.object({
  Effect: z.string(),
  Action: OneOrMore,
  Resource: OneOrMore,
  Condition: z.unknown().optional(),
});
export const Policy = z.object({ Statement: z.array(Statement) });
const Role = z.object({
  Properties: z.object({
    AssumeRolePolicyDocument: z.unknown(),
    ManagedPolicyArns: z.unknown().optional(),
    Policies: z.array(z.object({ PolicyDocument: Policy })),
  }),
});

const ManagedPolicy = z.object({ Properties: z.object({ PolicyDocument: Policy }) });

export interface Grant {
  /** `Allow kinesis:PutRecords on <windfarm-dev-data-StreamArn>` */
  says: string;
  condition: unknown;
}

/** All that the role whose logical id begins with `prefix` may do, a line an action and resource. */
export function grantsOf(template: Template, prefix: string): Grant[] {
  const found = Object.entries(template.findResources("AWS::IAM::Role")).filter(([id]) =>
    id.startsWith(prefix),
  );
  const [only] = found;
  if (found.length !== 1 || only === undefined)
    throw new RangeError(`${found.length} roles begin with ${prefix}`);
  const { Policies } = Role.parse(only[1]).Properties;
  return Policies.flatMap(({ PolicyDocument }) => linesOf(PolicyDocument));
}

/** All that the managed policy of that name allows. */
export function grantsOfPolicy(template: Template, name: string): Grant[] {
  const properties = { ManagedPolicyName: name };
  const [found] = Object.values(
    template.findResources("AWS::IAM::ManagedPolicy", { Properties: properties }),
  );
  return linesOf(ManagedPolicy.parse(found).Properties.PolicyDocument);
}

export function linesOf(policy: z.infer<typeof Policy>): Grant[] {
  return policy.Statement.flatMap(({ Effect, Action, Resource, Condition }) =>
    Action.flatMap((action) =>
      Resource.map((resource) => ({
        says: `${Effect} ${action} on ${short(resource)}`,
        condition: Condition,
      })),
    ),
  );
}

/** Joins are joined, references stand in angle brackets. */
export function short(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const [[name, inner] = ["", undefined]] = Object.entries(value);
  if (name === "Fn::Join" && Array.isArray(inner) && Array.isArray(inner[1]))
    return inner[1].map(short).join("");
  if (name === "Fn::Sub") return short(inner);
  if (name === "Fn::GetAtt" && Array.isArray(inner)) return `<${inner.join(".")}>`;
  return `<${short(inner)}>`;
}

/** What those whose name begins with `prefix` are granted, as sentences in order. */
export function saidOf(template: Parameters<typeof grantsOf>[0], prefix: string): string[] {
  return grantsOf(template, prefix)
    .map((grant) => grant.says)
    .sort();
}
