/** Why a connection is closed, and how long a client may take. */

/** Stable names: metrics, API and log carry them. */
export const CLOSE_REASONS = [
  "packet_too_large",
  "malformed",
  "reserved_topic",
  "not_authorized",
  /** Its name, password or certificate is no user's. */
  "refused_login",
  /** Its user was removed or changed while it was connected. */
  "user_changed",
  /** Its will is on a topic it may not publish to. */
  "bad_will",
  /** It speaks MQTT 5, or a version that there is not. */
  "unsupported_version",
  "bad_client_id",
  /** Another user is connected with it. */
  "client_id_taken",
  "connect_timeout",
  "packet_timeout",
  "not_reading",
  "keepalive_timeout",
  "idle_timeout",
  "too_many_connections",
  "store_failed",
  "tls",
  /** A defect of ours, met while the client was let in. */
  "internal",
] as const;
export type CloseReason = (typeof CLOSE_REASONS)[number];

export interface TimeLimits {
  /** From the TCP connection to an accepted CONNECT, ms. */
  connectTimeoutMs: number;
  /** Without a byte from the client, ms; none by default. */
  idleTimeoutMs?: number | undefined;
}
