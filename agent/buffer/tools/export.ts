/** Writes the buffered readings out as NDJSON, oldest first, as they would be shipped. */

import { once } from "node:events";
import type { Writable } from "node:stream";
import { unpackGroup } from "../gzip.ts";
import { groupsOf, openForReading, unreadable } from "./inspect.ts";

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
    for (const group of groupsOf(db)) {
      const lines = unpackGroup(group);
      if (lines === undefined) done.lost += group.count;
      else done.readings += group.count;
      if (lines !== undefined && !out.write(lines)) await once(out, "drain");
    }
    return done;
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    db.close();
  }
}
