/** Where records go. Kinesis is one (kinesis.ts); sending knows no more of it than this. */

export interface SinkRecord {
  key: string;
  data: Buffer;
}

/** A record that was not accepted, by its position in the request. */
export interface FailedRecord {
  index: number;
  errorCode: string;
}

/** Who the agent is there, for the operator. */
export interface SinkIdentity {
  described: string;
  /** How long its present credentials still hold; absent where nobody tells. */
  secondsLeft?: number | undefined;
}

export interface Sink {
  identity?(): SinkIdentity;
  /**
   * The records not accepted; the bytes of the others must not be read after that. Rejects, with a Fault or whatever
   * broke, where nothing is known to be accepted.
   */
  put(records: readonly SinkRecord[]): Promise<FailedRecord[]>;
  /** Ends all connections, and with them what is under way. */
  close(): void;
}
