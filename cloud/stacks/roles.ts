/**
 * Roles whose statements are written by hand. The construct library's grants would bring wildcards
 * (`s3:GetObject*`, `kms:GenerateDataKey*`) and change with its version.
 */

import { PolicyDocument, type PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Construct } from "constructs";

export interface ServiceRoleProps {
  /** The one service that may assume the role, e.g. `glue.amazonaws.com`. */
  service: string;
  description: string;
  statements: readonly PolicyStatement[];
}

/** A role for one service with one inline policy. */
export function serviceRole(scope: Construct, id: string, props: ServiceRoleProps): Role {
  return new Role(scope, id, {
    assumedBy: new ServicePrincipal(props.service),
    description: props.description,
    inlinePolicies: { Access: new PolicyDocument({ statements: [...props.statements] }) },
  });
}
