/** What shipping is told, and the limits it keeps by itself. */

export type CredentialSettings =
  /** The AWS default chain: environment, shared files, process, container, instance. */
  | { kind: "default" }
  | {
      kind: "static";
      accessKeyId: string;
      secretAccessKey: string;
      sessionToken?: string | undefined;
    }
  /** A device certificate exchanged for credentials through an AWS IoT role alias. */
  | {
      kind: "iot";
      /** Host of the credentials provider, `<prefix>.credentials.iot.<region>.amazonaws.com`, with or without a port. */
      endpoint: string;
      roleAlias: string;
      thingName: string;
      /** PEM files; read anew at each renewal. */
      certFile: string;
      keyFile: string;
      /** The authority of the endpoint's own certificate; without it the system's list. */
      caFile?: string | undefined;
    };

/** Which stream, and who asks. */
export interface StreamSettings {
  stream: string;
  region: string;
  /** URL of another endpoint than the region's own. */
  endpoint?: string | undefined;
  /** URL of the proxy that leads to AWS. Default: as HTTPS_PROXY and NO_PROXY say. */
  proxy?: string | undefined;
  /** A request not answered in full by then has failed, ms. */
  requestTimeoutMs: number;
  credentials: CredentialSettings;
}

export interface ShipSettings extends StreamSettings {
  /** How long a reading waits for others to fill a record, ms. */
  flushEveryMs: number;
  /** Requests at once. */
  maxInFlight: number;
  /** Size aimed at for a record with its partition key, bytes. */
  recordBytes: number;
  /** What may go over the link, bytes a second. */
  maxBandwidth?: number | undefined;
}

/** Records a PutRecords request may have. */
export const MAX_REQUEST_RECORDS = 500;
/** A record with its partition key, bytes: Firehose takes no larger ones. */
export const MAX_RECORD_BYTES = 1000 * 1024;
/**
 * Records with their keys in one request, bytes, unless one record is larger. Far below the service's 10 MiB: encoding,
 * hashing and writing a request holds the thread that also answers the sensors, and this much takes a few milliseconds.
 */
export const MAX_REQUEST_BYTES = 256 * 1024;
/** Groups leased and not settled, bytes; what is waiting stays on the disk. */
export const MAX_HELD_BYTES = 4 * 1024 * 1024;
/** Characters in a partition key. */
export const KEY_LENGTH = 8;
