/** What is asked of the table in every engine. */

import { namedQueries } from "../../../cloud/sql/read.ts";

/** Readings of each odd sort, to be sure that there are some. */
const ODD_READINGS = `
  SELECT
    sum(CASE WHEN received > date + INTERVAL '19' DAY THEN 1 ELSE 0 END) AS late,
    sum(CASE WHEN date > received + INTERVAL '1' DAY THEN 1 ELSE 0 END) AS future_dated,
    sum(CASE WHEN date = date_trunc('day', date) THEN 1 ELSE 0 END) AS day_level
  FROM readings
  WHERE dt BETWEEN '2026-01-01' AND '2027-12-31'`;

const AGGREGATES: Readonly<Record<string, string>> = {
  "each day's readings": `
    SELECT dt, count(*), count(DISTINCT turbine), min(date), max(date), sum(data)
    FROM readings GROUP BY dt`,
  "one day, the other partitions left out": `
    SELECT type, count(*), avg(data), min(data), max(data)
    FROM readings WHERE dt = '2026-11-05' GROUP BY type`,
  // A reader leaves out what a file's own statistics rule out; a time read in the wrong unit or zone would show here.
  "some hours, by the files' statistics": `
    SELECT turbine, type, id, date, data
    FROM readings
    WHERE date >= TIMESTAMP '2026-11-05 06:00:00' AND date < TIMESTAMP '2026-11-05 18:30:00.5'`,
  "some values, by the files' statistics": `
    SELECT turbine, count(*), sum(data)
    FROM readings WHERE data < 0 AND type = 'Temperature Battery' AND gateway <> 'gw-02' GROUP BY turbine`,
  "odd readings": ODD_READINGS,
};

/** `columns` of the table, aggregates over it, and every named query, by name. */
export function questions(columns: string): Record<string, string> {
  const named = namedQueries().map(({ name, sql }) => [name, atOneMoment(sql)]);
  return {
    "the whole table": `SELECT ${columns} FROM readings`,
    ...AGGREGATES,
    ...Object.fromEntries(named),
  };
}

/** Named queries that ask what time it is. */
export function timelyQueries(): { name: string; sql: string }[] {
  return namedQueries().filter(({ sql }) => sql !== atOneMoment(sql));
}

/** With one moment for the present: the engines are asked one after the other. */
function atOneMoment(sql: string): string {
  const text = sql.replace(/--.*/g, "");
  return /\bcurrent_timestamp\b/i.test(text)
    ? text.replace(/\bcurrent_timestamp\b/gi, "TIMESTAMP '2026-11-22 23:30:00'")
    : sql;
}
