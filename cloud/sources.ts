/** The files that the cloud gets as they are. */

import { join } from "node:path";

export interface Sources {
  /** The Glue job. */
  script: string;
  /** The folder that holds the modules the job imports, `curation/`. */
  modules: string;
  /** The folder of the conversion's texts, with the named queries in `queries/`. */
  sql: string;
}

/** Where they lie in a checkout. */
export function sourcesIn(root: string): Sources {
  return {
    script: join(root, "cloud/jobs/curate.py"),
    modules: join(root, "cloud/jobs"),
    sql: join(root, "cloud/sql"),
  };
}
