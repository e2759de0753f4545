/** What Glue encrypts its own traces with. */

import { CfnSecurityConfiguration } from "aws-cdk-lib/aws-glue";
import type { IKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";

/** `logs` where Glue makes the log group itself, under a name with the security configuration's in it. */
export function securityConfiguration(
  scope: Construct,
  id: string,
  { name, key, logs }: { name: string; key: IKey; logs: boolean },
): CfnSecurityConfiguration {
  const kmsKeyArn = key.keyArn;
  return new CfnSecurityConfiguration(scope, id, {
    name,
    encryptionConfiguration: {
      cloudWatchEncryption: logs
        ? { cloudWatchEncryptionMode: "SSE-KMS", kmsKeyArn }
        : { cloudWatchEncryptionMode: "DISABLED" },
      jobBookmarksEncryption: { jobBookmarksEncryptionMode: "CSE-KMS", kmsKeyArn },
      s3Encryptions: [{ s3EncryptionMode: "SSE-KMS", kmsKeyArn }],
    },
  });
}
