/** Logical ids that never change: a resource whose logical id changes is a new, empty resource to CloudFormation. */

import { CfnResource } from "aws-cdk-lib";
import type { IConstruct } from "constructs";
import { Fault } from "../../agent/errors.ts";

/** Pins the logical id of the resource that `construct` stands for. */
export function pin(construct: IConstruct, logicalId: string): void {
  const resource = construct.node.defaultChild;
  if (!CfnResource.isCfnResource(resource)) {
    throw new Fault("cloud.pin", `${construct.node.path} stands for no single CloudFormation resource`);
  }
  resource.overrideLogicalId(logicalId);
}
