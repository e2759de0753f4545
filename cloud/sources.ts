/** The files that the cloud gets as they are. */

import { join } from "node:path";

export interface Sources {
  /** The Glue job. */
  script: string;
  /** The folder of the conversion's texts, with the named queries in `queries/`. */
  sql: string;
}

/** Where they lie in a checkout. */
export function sourcesIn(root: string): Sources {
  return {
    script: join(root, "cloud/jobs/curate.py"),
    sql: join(root, "cloud/sql"),
  };
}
