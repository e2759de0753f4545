/** Writes the buffered readings out as NDJSON, oldest first, as they would be shipped. */

import { once } from "node:events";
import type { Writable } from "node:stream";
import { unpackGroup } from "../gzip.ts";
import { groupsOf, openForReading } from "./inspect.ts";

export interface Exported {
  readings: number;
  /** In groups that are damaged. */
  lost: number;
}

/** Leaves the buffer as it is. Throws `buffer.missing`, `buffer.unreadable`, or what `out` fails with. */
export async function exportBuffer(path: string, out: Writable): Promise<Exported> {
  const done: Exported = { readings: 0, lost: 0 };
  const db = openForReading(path);
  try {
    for (const row of groupsOf(db)) {
      const lines = unpackGroup(row);
      if (lines === undefined) {
        done.lost += row.count;
        continue;
      }
      done.readings += row.count;
      if (!out.write(lines)) await once(out, "drain");
    }
  } finally {
    db.close();
  }
  return done;
}
