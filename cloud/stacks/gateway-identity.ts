/**
 * What a gateway is in the cloud: a thing with a certificate, which the IoT credentials provider changes for an
 * hour of a role that can put records on the one stream and look whether it is there. Onboarding makes the thing
 * and the certificate (`cloud/provision`); here stands what all gateways share.
 */

import { Stack } from "aws-cdk-lib";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { CfnPolicy, CfnRoleAlias } from "aws-cdk-lib/aws-iot";
import type { IStream } from "aws-cdk-lib/aws-kinesis";
import type { IKey } from "aws-cdk-lib/aws-kms";
import { Construct } from "constructs";
import { CREDENTIAL_SECONDS } from "../settings.ts";
import { serviceRole } from "./roles.ts";

export interface GatewayIdentityProps {
  stage: string;
  stream: IStream;
  key: IKey;
}

export class GatewayIdentity extends Construct {
  /** Names of the role alias and of the certificates' policy. */
  readonly roleAlias: string;
  readonly policy: string;

  constructor(scope: Construct, id: string, props: GatewayIdentityProps) {
    super(scope, id);
    const { stage, stream, key } = props;
    this.roleAlias = `windfarm-${stage}-gateway`;
    this.policy = `windfarm-${stage}-gateway`;

    const role = serviceRole(this, "Role", {
      service: "credentials.iot.amazonaws.com",
      description: `What a ${stage} gateway may do: put readings on the stream, nothing else`,
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

    const roleAlias = new CfnRoleAlias(this, "RoleAlias", {
      roleAlias: this.roleAlias,
      roleArn: role.roleArn,
      credentialDurationSeconds: CREDENTIAL_SECONDS,
    });

    new CfnPolicy(this, "Policy", {
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
  }
}
