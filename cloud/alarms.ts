/** The alarms' names, which are also the anchors of their articles in the runbook. */
export const ALARMS = [
  "throttled-writes",
  "iterator-age",
  "delivery-stopped",
  "delivery-freshness",
  "job-failed",
  "job-late",
  "lake-behind",
  "readings-missing",
  "raw-rejects",
  "error-objects",
  "gateway-silent",
  "farm-silent",
  "scan-cost",
] as const;
export type AlarmName = (typeof ALARMS)[number];
