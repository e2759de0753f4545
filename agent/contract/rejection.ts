/** Why a message could not be understood. The names are stable: metrics and the reject lane carry them. */
export const REJECTION_REASONS = [
  "topic",
  "not_utf8",
  "not_json",
  "no_id",
  "no_value",
  "no_date",
  "unknown_type",
  "type_contradicts_topic",
  /** Reading it failed in a way nobody foresaw. */
  "internal",
] as const;
export type RejectionReason = (typeof REJECTION_REASONS)[number];

/** A message kept aside: what was wrong, and what came, to be replayed once the cause is cured. */
export interface Rejection {
  reason: RejectionReason;
  /** One sentence for the operator, with the offending value shortened. */
  detail: string;
  topic: string;
  payload: Uint8Array;
  /** MQTT's DUP flag came with it. */
  dup: boolean;
}
