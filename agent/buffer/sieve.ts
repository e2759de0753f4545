/** Tells, in what was found in a damaged file, what is whole from what must be mended, and what is new from what was met. */

import { decodeBody, encodeBody } from "./codec.ts";
import { mendGroup } from "./mend.ts";
import type { Saved } from "./salvage-rows.ts";
import type { Found } from "./salvage-source.ts";
import { Seen } from "./seen.ts";
import type { GroupRow } from "./store.ts";

export interface Sifted extends Saved {
  /** In the groups. */
  readings: number;
  /** Known to be there, and not readable. */
  lost: number;
}

export class Sieve {
  readonly #seen = new Seen();

  sift(found: Found): Sifted {
    const groups: Omit<GroupRow, "key">[] = [];
    let lost = 0;
    for (const row of found.groups) {
      const sifted = this.#siftGroup(row);
      lost += sifted.lost;
      if (sifted.group !== undefined) groups.push(sifted.group);
    }
    for (const loose of found.loose) {
      const fresh = this.#seen.fresh(loose);
      if (fresh.length > 0) groups.push(groupOf(fresh, Date.parse(receivedIn(fresh))));
    }
    const readings = groups.reduce((sum, group) => sum + group.count, 0);
    return { groups, rejects: found.rejects, readings, lost };
  }

  #siftGroup(row: GroupRow): { group?: Omit<GroupRow, "key">; lost: number } {
    const whole = row.crc === null ? undefined : decodeBody(row);
    const mended = whole === undefined ? mendGroup(row) : { row, body: whole, lost: 0 };
    const fresh = this.#seen.fresh(mended.body);
    if (fresh.length === 0) return { lost: mended.lost };
    const { key: _key, ...rest } = mended.row;
    const same = fresh === mended.body && rest.crc !== null;
    return { group: same ? rest : groupOf(fresh, row.received), lost: mended.lost };
  }
}

function groupOf(lines: Buffer, received: number): Omit<GroupRow, "key"> {
  const count = lines.toString("latin1").split("\n").length - 1;
  return { count, bytes: lines.length, received, ...encodeBody(lines) };
}

function receivedIn(lines: Buffer): string {
  return /"received":"([^"]+)"/.exec(lines.toString("latin1"))?.[1] ?? "1970-01-01T00:00:00.000Z";
}
