/**
 * A text in another layout's words. The SQL files say the shipped layout's names, so that they run anywhere as they stand;
 * where the layout differs, its names are put in before any engine sees the text.
 */

import { LAYOUT, type Layout } from "../layout.ts";

/** What is passed over, a table that is read, a column of it by the table's name, the day. */
const WORDS = new RegExp(
  [
    "(?<kept>--.*|/\\*[^]*?\\*/|'(?:[^']|'')*')",
    `\\b(?<reads>FROM|JOIN)(?<blanks>\\s+)(?<database>${LAYOUT.database}\\.)?${LAYOUT.table}\\b`,
    `\\b(?<owner>${LAYOUT.table})(?=\\.\\w)`,
    `\\b(?<day>${LAYOUT.dayKey})\\b`,
  ].join("|"),
  "gi",
);

/**
 * `sql` with the layout's table, database and day key; literals and comments stay. Columns may be called like the table
 * (a count of readings is called readings), so the table is known by the FROM or JOIN before it, or the dot behind it.
 */
export function inLayout(sql: string, layout: Layout): string {
  return sql.replace(WORDS, (found: string, ...rest: unknown[]) => {
    const { kept, reads, blanks, database, owner, day } = rest.at(-1) as Record<string, string | undefined>;
    if (kept !== undefined) return found;
    if (reads !== undefined)
      return `${reads}${blanks}${database === undefined ? "" : `${layout.database}.`}${layout.table}`;
    if (owner !== undefined) return layout.table;
    return day === undefined ? found : layout.dayKey;
  });
}
