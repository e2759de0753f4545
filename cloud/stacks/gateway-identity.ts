/**
 * What a gateway is in the cloud: a thing with a certificate, which the IoT credentials provider exchanges for
 * an hour of a role that can put records on the one stream and look whether it is there. Onboarding makes the thing
 * and the certificate (`cloud/provision`); here stands what all gateways share.
 */

import { Fn, RemovalPolicy, Stack } from "aws-cdk-lib";
import { CfnRolePolicy, PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnPolicy, CfnRoleAlias } from "aws-cdk-lib/aws-iot";
import type { IStream } from "aws-cdk-lib/aws-kinesis";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import type { FarmNames } from "../names.ts";
import { CREDENTIAL_SECONDS, DENIALS_POLICY, NOBODY_DENIED } from "../settings.ts";
import { serviceRole } from "./roles.ts";

export interface GatewayIdentityProps {
  names: FarmNames;
  stream: IStream;
  key: IKey;
}

export class GatewayIdentity extends Construct {
  /** Names of the role alias and of the certificates' policy. */
  readonly roleAlias: string;
  readonly policy: string;

  constructor(scope: Construct, id: string, props: GatewayIdentityProps) {
    super(scope, id);
    const { names, stream, key } = props;
    this.roleAlias = names.roleAlias;
    this.policy = `${names.roleAlias}-${bornWith(Stack.of(this))}`;

    const role = serviceRole(this, "Role", {
      service: "credentials.iot.amazonaws.com",
      description: `What a gateway of ${names.farm} may do: put readings on the stream, nothing else`,
      statements: [
        new PolicyStatement({
          actions: ["kinesis:PutRecords", "kinesis:DescribeStreamSummary"],
          resources: [stream.streamArn],
        }),
        // A stream under a customer's key encrypts with a data key of the producer's asking.
        new PolicyStatement({
          actions: ["kms:GenerateDataKey"],
          resources: [key.keyArn],
          conditions: {
            StringEquals: { "kms:ViaService": `kinesis.${Stack.of(this).region}.amazonaws.com` },
          },
        }),
      ],
    });

    // A resource of its own: what `provision --revoke` writes into it outlives every deployment that leaves this text as it is.
    new CfnRolePolicy(this, "Revoked", {
      roleName: role.roleName,
      policyName: DENIALS_POLICY,
      policyDocument: { Version: "2012-10-17", Statement: [NOBODY_DENIED] },
    });

    const roleAlias = new CfnRoleAlias(this, "RoleAlias", {
      roleAlias: this.roleAlias,
      roleArn: role.roleArn,
      credentialDurationSeconds: CREDENTIAL_SECONDS,
    });

    const policy = new CfnPolicy(this, "Policy", {
      policyName: this.policy,
      policyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Effect: "Allow",
            Action: "iot:AssumeRoleWithCertificate",
            Resource: roleAlias.attrRoleAliasArn,
          },
        ],
      },
    });
    // AWS IoT deletes no policy that a certificate holds, and every gateway's does. It stays behind under a name that
    // no other stack asks for: gateways need no new identity when this one is made again, and without the role alias it
    // opens nothing.
    policy.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }
}

/** A few characters that a stack keeps while it lives, and that another of its name has not: `arn:…:stack/<name>/<these>-…`. */
function bornWith(stack: Stack): string {
  return Fn.select(0, Fn.split("-", Fn.select(2, Fn.split("/", stack.stackId))));
}
