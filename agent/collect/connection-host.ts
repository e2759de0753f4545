/** What a connection asks of the broker that keeps it, and why it may be closed. */

import type { Connection } from "./connection.ts";
import type { FramingError } from "./frames.ts";
import type { Intake } from "./intake.ts";
import type { PublishReader } from "./publish-packet.ts";

export type CloseReason =
  | FramingError
  | "reserved_topic"
  | "not_authorized"
  | "bad_client_id"
  /** Another user is connected with it. */
  | "client_id_taken"
  | "connect_timeout"
  | "packet_timeout"
  | "not_reading"
  | "keepalive_timeout"
  | "idle_timeout"
  | "too_many_connections"
  | "store_failed"
  | "tls";

export interface TimeLimits {
  /** From the TCP connection to an accepted CONNECT, ms. */
  connectTimeoutMs: number;
  /** Without a byte from the client, ms; none by default. */
  idleTimeoutMs?: number | undefined;
}

export interface ConnectionHost {
  readonly intake: Intake;
  readonly publishes: PublishReader;
  readonly maxPacketBytes: number;
  /** Monotonic, ms. */
  now(): number;
  /** May this connection's user publish to `topic`? */
  mayPublish(connection: Connection, topic: string): boolean;
  /** Wants stored readings for subscribers. */
  forwards(): boolean;
  forward(topic: string, payload: Buffer): void;
  /** Told once, when the connection is closed for a reason of ours. */
  closing(connection: Connection, reason: CloseReason): void;
}
