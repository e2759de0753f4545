/** Findings of cdk-nag that stand on purpose, each at the construct it concerns and with its reason. */

import { Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** Says why the `AwsSolutions` findings `rules` (e.g. `KDS3`) on `construct` are meant to be. */
export function acknowledge(construct: IConstruct, rules: readonly string[], reason: string): void {
  for (const rule of rules) Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}

/** Says why policies under `construct` name `resources`, ARNs with a wildcard. */
export function acknowledgeWildcards(
  construct: IConstruct,
  resources: readonly string[],
  reason: string,
): void {
  const stack = Stack.of(construct);
  const findings = resources.map((arn) => `IAM5[Resource::${flatten(stack.resolve(arn))}]`);
  acknowledge(construct, findings, reason);
}

/** An ARN as cdk-nag writes it in its findings: joined, references in angle brackets, imports by their name. */
function flatten(resolved: unknown): string {
  if (typeof resolved === "string") return resolved;
  if (typeof resolved !== "object" || resolved === null) return JSON.stringify(resolved);
  if ("Fn::Join" in resolved && Array.isArray(resolved["Fn::Join"])) {
    const [delimiter, parts]: unknown[] = resolved["Fn::Join"];
    return Array.isArray(parts) ? parts.map(flatten).join(String(delimiter)) : "";
  }
  if ("Fn::ImportValue" in resolved) return flatten(resolved["Fn::ImportValue"]);
  if ("Ref" in resolved) return `<${flatten(resolved.Ref)}>`;
  return JSON.stringify(resolved);
}
