/** Where collectors hand over what they received. The pipeline implements it; collectors know nothing behind it. */
export interface Intake {
  /**
   * Takes one message as it came. Both arguments may be reused by the caller once the call has returned.
   * @param dup MQTT's DUP flag: the sender may have sent it before
   * @param stored called once, in the order of the calls: without an error after the fsync of the transaction that holds the
   *   message (as a reading or among the rejects), with an error when it could not be stored. Only then may it be acknowledged.
   *   One function for each sender: senders are told apart by it.
   * @returns whether the message was understood; what was not is kept among the rejects
   */
  accept(topic: string, payload: Uint8Array, dup: boolean, stored: Stored): boolean;
  /**
   * Messages one sender may have between receipt and storage now: Infinity where nothing is in the way, few where the disk
   * can take nothing, 0 where no more can even wait. A sender who has more is not read until some are stored.
   */
  readonly window: number;
}

export type Stored = (error?: Error | null) => void;

/** What a collector says about itself; the same shape as `Snapshot.collect`. */
export interface CollectorStats {
  mode: "listen" | "connect";
  /** Without credentials. */
  url: string;
  /** Running, and where it is a subscriber, subscribed. */
  ready: boolean;
  connections: number;
  /** Since this process started, by stable reason. */
  closedConnections: Readonly<Record<string, number>>;
  /** Logins refused since this process started, by the address they came from; those of many addresses together. */
  refusedLogins: Readonly<Record<string, number>>;
}

export interface Collector {
  start(): Promise<void>;
  /** Takes nothing new, waits up to `deadlineMs` for what is being stored to be acknowledged, closes. */
  stop(deadlineMs: number): Promise<void>;
  stats(): CollectorStats;
  /** Reads again what may change while it runs. */
  reload(): void;
}
