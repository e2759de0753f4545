/** What a connection is given. */

import type { Socket } from "node:net";
import type { CloseReason } from "./closing.ts";
import type { Intake } from "./intake.ts";
import type { PublishReader } from "./publish-packet.ts";
import type { Watchers } from "./watchers.ts";

export interface ConnectionSetup {
  intake: Intake;
  publishes: PublishReader;
  /** Remaining length of the largest packet taken, bytes. */
  maxPacketBytes: number;
  /** The common name of the client's certificate. */
  certificate: string | undefined;
  /** Only users may publish, and only where each is allowed to. */
  restricted: boolean;
  /** Stored readings are shown to watchers. */
  watchers: Watchers;
  /** Told once, if the connection is closed for a reason of ours. */
  closed(reason: CloseReason): void;
  /** Monotonic, ms. */
  now(): number;
}

/** The client's address; of a socket that is closed already, a word instead. */
export function addressOf({ remoteAddress = "gone" }: Socket): string {
  return remoteAddress;
}
