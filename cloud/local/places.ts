/** Where the local cloud keeps what. */

import { join } from "node:path";

export interface CloudFolders {
  /** Raw objects that are still being gathered. */
  delivery: string;
  /** The raw bucket. */
  raw: string;
  /** The lake bucket: the table's files, the catalog, copies of damaged objects. */
  lake: string;
  /** The running cloud's addresses, for the commands that look for it. */
  addresses: string;
}

/** The folders below `data`. */
export function cloudFolders(data: string): CloudFolders {
  return {
    delivery: join(data, "delivery"),
    raw: join(data, "raw"),
    lake: join(data, "lake"),
    addresses: join(data, "cloud.json"),
  };
}

/** What every command takes for `--data` when it isn't given. */
export const DEFAULT_DATA = "./data/cloud";
