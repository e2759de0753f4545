/** All that the page, the API and the metrics show, taken at one moment. The agent composes it, observing only shows it. */

/** The sentence's state: what the operator must know first. */
export type AgentState =
  | "starting"
  /** Readings leave as they come. */
  | "delivering"
  /** Nothing received yet or nothing to ship. */
  | "idle"
  /** Kinesis can't be reached or refuses; readings wait. */
  | "buffering"
  /** The buffer is full and the sensors keep their readings (refuse), or the oldest are dropped (drop_oldest). */
  | "full"
  /** The disk refuses; nothing is acknowledged. */
  | "failed"
  | "stopping";

/** Bytes since this process started, since then or midnight UTC, and in 30 days at the rate of the last hour. */
export interface Use {
  totalBytes: number;
  todayBytes: number;
  /** Absent in the first minute. */
  monthBytes?: number;
}

export interface Board {
  /** Free for programs, bytes. */
  memoryFreeBytes?: number;
  memoryTotalBytes?: number;
  /** Why the processor is held back at this moment; empty when it isn't. Only a Raspberry Pi tells. */
  throttled?: readonly string[];
  /** Whether systemd-timesyncd has set the clock since the boot; absent where it doesn't run. */
  clockSynchronised?: boolean;
  /** End of the earliest-ending certificate of each use, ms since 1970. */
  certificates?: readonly { use: string; endsMs: number }[];
}

export interface Snapshot {
  gateway: string;
  site: string;
  version: string;
  /** ms since 1970. */
  startedMs: number;
  nowMs: number;
  epoch: string;
  state: AgentState;
  /** One plain sentence: "Delivering, 0 s behind." */
  sentence: string;
  /** Readings since the buffer was created; received = buffered + shipped + rejected + dropped. */
  received: number;
  buffered: number;
  shipped: number;
  rejected: number;
  dropped: number;
  oldestBufferedSeconds: number;
  collect: {
    /** `listen` (embedded broker) or `connect` (existing broker), and its URL without credentials. */
    mode: "listen" | "connect";
    url: string;
    /** Accepting readings durably now. */
    ready: boolean;
    connections: number;
    /** Since this process started, by stable reason, e.g. { packet_too_large: 2 }. */
    closedConnections: Readonly<Record<string, number>>;
    /** Logins refused since this process started, by the address they came from; those of many addresses as `others`. */
    refusedLogins: Readonly<Record<string, number>>;
  };
  validate: {
    /** Since this process started, by type. */
    accepted: Readonly<Record<string, number>>;
    outOfRange: Readonly<Record<string, number>>;
    rejected: Readonly<Record<string, number>>;
  };
  buffer: {
    state: "storing" | "full" | "disk_full" | "failed";
    problem?: string;
    onFull: "refuse" | "drop_oldest";
    usedBytes: number;
    maxBytes: number;
    /** Until the buffer is full if nothing were shipped, at the rate readings come in now; absent when that can't be told. */
    lastsSeconds?: number;
    /** Smallest seq of this epoch still buffered, and the largest on disk. */
    firstSeq?: number;
    lastSeq?: number;
    commits: number;
    committedReadings: number;
    commitSeconds: number;
    longestCommitSeconds: number;
    pending: number;
    rejectsKept: number;
    salvagedReadings: number;
    recovered: readonly string[];
    /** Files set aside that still lie beside the buffer. */
    aside: readonly { file: string; bytes: number; state: "unread" | "incomplete" | "complete" }[];
  };
  ship: {
    stream: string;
    region: string;
    endpoint?: string | undefined;
    /** Since this process started. */
    requests: number;
    failedRequests: number;
    records: number;
    failedRecords: number;
    readings: number;
    bytes: number;
    /** Seconds until the next try, 0 when not backing off. */
    backoffSeconds: number;
    lastSuccessMs?: number | undefined;
    /** When the newest accepted reading was received, ms since 1970: a dashboard is current up to then. */
    newestShippedMs?: number | undefined;
    /** Readings that wait behind the live ones; 0 while all leave as they come. */
    backlogReadings?: number;
    /** `cause` says in a few words what went wrong ("the endpoint refuses the connection"), `message` all of it. */
    lastError?:
      | { code: string; message: string; cause?: string | undefined; hint?: string | undefined; atMs: number }
      | undefined;
    /** Who the agent is to AWS, and how long its present credentials still hold; absent where nobody tells. */
    identity?: { described: string; secondsLeft?: number | undefined } | undefined;
  };
  /** What the agent uses up. */
  usage?: {
    /** Bytes through the sockets to AWS, both ways, TLS included, TCP/IP not. */
    link: Use;
    /** Bytes this process had written to the disk; absent where the system doesn't tell. */
    disk?: Use;
  };
  health: Board & {
    rssBytes: number;
    cpuSeconds: number;
    load1: number;
    temperatureCelsius?: number;
    diskFreeBytes?: number;
    diskTotalBytes?: number;
  };
}
