/** Log groups go with the stack: they hold no readings. */

import { RemovalPolicy } from "aws-cdk-lib";
import { type LogGroupProps, RetentionDays } from "aws-cdk-lib/aws-logs";
import type { StageSettings } from "../settings.ts";

const RETENTION: Readonly<Record<StageSettings["logDays"], RetentionDays>> = {
  7: RetentionDays.ONE_WEEK,
  30: RetentionDays.ONE_MONTH,
  90: RetentionDays.THREE_MONTHS,
  365: RetentionDays.ONE_YEAR,
};

export function logGroupProps({ logDays }: StageSettings, logGroupName: string): LogGroupProps {
  return { logGroupName, retention: RETENTION[logDays], removalPolicy: RemovalPolicy.DESTROY };
}
