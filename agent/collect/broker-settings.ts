/** What the embedded broker is told. */
export interface BrokerSettings {
  host: string;
  /** 0 for a free one. */
  port: number;
  /** Remaining length of the largest packet taken, bytes. */
  maxPacketBytes: number;
  maxConnections: number;
  /** A client must have sent its CONNECT after this. */
  connectTimeoutMs: number;
  /** A connection that sends nothing for so long is closed; undefined: its keep-alive decides. */
  idleTimeoutMs?: number | undefined;
  usersFile?: string | undefined;
  tls?: BrokerTls | undefined;
}

export interface BrokerTls {
  certFile: string;
  keyFile: string;
  /** Signs the clients' certificates. */
  caFile?: string | undefined;
  requireClientCertificate: boolean;
}
