/** What a report asks the lake, in the shipped layout's words: the named queries narrowed to a day, and what only a chart needs. */

import { Fault } from "../../../agent/errors.ts";
import { LAST_DAYS, namedQueries } from "../../sql/read.ts";
import { quoted } from "../duck.ts";
import { type Day, dayAfter } from "./day.ts";

/** A chart has one point for so many minutes: 720 of them a day, more than it has pixels. */
export const SLICE_MINUTES = 2;
/** A pause is a gap when it is this long and this many times the sensor's usual interval. */
export const GAP_SECONDS = 600;
export const GAP_INTERVALS = 5;
/** A sensor heard within so many days before is expected on the day. */
export const EXPECTED_DAYS = 7;

/** A named query over one day instead of all. */
export function namedOnDay(name: string, day: Day): string {
  const sql = namedQueries().find((query) => query.name === name)?.sql;
  if (!sql?.includes(LAST_DAYS)) {
    throw new Fault(
      "report.query",
      `the named query ${name} is missing or has no condition of its days to narrow`,
      {
        hint: "restore cloud/sql/queries from the repository",
      },
    );
  }
  return sql.replaceAll(LAST_DAYS, `dt = ${quoted(day.name)}`);
}

export function slices(day: Day): string {
  return `SELECT turbine, type, min(date) AS first, max(date) AS last,
      CASE WHEN isfinite(avg(data)) THEN avg(data) ELSE median(data) END AS mean,
      min(data) AS min, max(data) AS max
    FROM readings WHERE dt = ${quoted(day.name)}
    GROUP BY turbine, type, time_bucket(INTERVAL ${SLICE_MINUTES} MINUTE, date)
    ORDER BY turbine, type, first`;
}

export function rhythms(day: Day): string {
  return `${steps(day)} SELECT turbine, type, limit_s FROM rhythms`;
}

export function pauses(day: Day): string {
  return `${steps(day)} SELECT turbine, type, before AS began, date AS ended
    FROM steps JOIN rhythms USING (turbine, type)
    WHERE epoch(date - before) > limit_s
    ORDER BY turbine, type, began`;
}

export function expectedSensors(day: Day): string {
  return `SELECT DISTINCT turbine, type FROM readings
    WHERE dt BETWEEN ${quoted(dayAfter(day, -EXPECTED_DAYS))} AND ${quoted(day.name)}
    ORDER BY turbine, type`;
}

/** When each turbine of the day was heard first, ever. */
export function beginnings(day: Day): string {
  return `SELECT turbine, min(date) AS first FROM readings
    WHERE dt <= ${quoted(day.name)}
    GROUP BY turbine`;
}

export const DAYS = "SELECT dt AS day FROM readings GROUP BY dt ORDER BY dt";

function steps(day: Day): string {
  return `WITH steps AS (
      SELECT turbine, type, date, lag(date) OVER (PARTITION BY turbine, type ORDER BY date) AS before
      FROM readings WHERE dt = ${quoted(day.name)}
    ), rhythms AS (
      SELECT turbine, type,
        greatest(${GAP_SECONDS}.0, coalesce(${GAP_INTERVALS} * median(epoch(date - before)), 0)) AS limit_s
      FROM steps GROUP BY turbine, type
    )`;
}
