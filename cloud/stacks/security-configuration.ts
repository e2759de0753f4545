/** What Glue encrypts its own traces with: logs, bookmarks, what it writes. */

import { CfnSecurityConfiguration } from "aws-cdk-lib/aws-glue";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";

export function securityConfiguration(
  scope: Construct,
  id: string,
  stage: string,
  key: IKey,
): CfnSecurityConfiguration {
  const kmsKeyArn = key.keyArn;
  return new CfnSecurityConfiguration(scope, id, {
    name: `windfarm-${stage}`,
    encryptionConfiguration: {
      cloudWatchEncryption: { cloudWatchEncryptionMode: "SSE-KMS", kmsKeyArn },
      jobBookmarksEncryption: { jobBookmarksEncryptionMode: "CSE-KMS", kmsKeyArn },
      s3Encryptions: [{ s3EncryptionMode: "SSE-KMS", kmsKeyArn }],
    },
  });
}
