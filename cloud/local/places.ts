/** Where the local cloud keeps what. */

import { join } from "node:path";

export interface CloudFolders {
  /** The stream's journals. */
  kinesis: string;
  /** The raw bucket. */
  raw: string;
  /** The lake bucket: table, catalog, index, rejects. */
  lake: string;
  /** The running cloud's addresses, for the commands that look for it. */
  addresses: string;
}

/** The folders below `data`. */
export function cloudFolders(data: string): CloudFolders {
  return {
    kinesis: join(data, "kinesis"),
    raw: join(data, "raw"),
    lake: join(data, "lake"),
    addresses: join(data, "cloud.json"),
  };
}

/** What every command takes for `--data` when it isn't given. */
export const DEFAULT_DATA = "./data/cloud";
