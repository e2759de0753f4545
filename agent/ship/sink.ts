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

export interface Sink {
  /**
   * The records not accepted; the bytes of the others must not be read after that. Rejects, with a Fault or whatever
   * broke, where nothing is known to be accepted.
   */
  put(records: readonly SinkRecord[], signal: AbortSignal): Promise<FailedRecord[]>;
  /** Ends all connections. */
  close(): void;
}
