-- How complete each day is, per turbine and type.
--
-- One row for every day and every sensor that is known in the days asked for; a sensor nothing came from has 0 readings, on
-- days before it was installed too. hours_with_readings counts the hours of the UTC day, of 24, that have any reading. share
-- compares the day's readings with those of the turbine that has most of that type: 1 is as complete as the best, and where
-- no turbine has any it is 0. Of days without any reading of the whole farm the first 31 after a day that has some are
-- listed, up to the last day that has some and no further than today. Days to come, which a clock that is ahead has begun,
-- are owed by nobody: only what they have is listed. A day that is still going on has fewer hours by nature. Whether
-- everything a gateway took has arrived is another question: npm run audit answers it.
WITH counted AS (
  SELECT
    dt, turbine, type,
    count(*) AS readings,
    count(DISTINCT date_trunc('hour', date)) AS hours_with_readings,
    min(date) AS first_date,
    max(date) AS last_date
  FROM readings
  WHERE dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '7' DAY AS date) AS varchar(10))
  GROUP BY dt, turbine, type
),
today AS (
  SELECT TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) AS date) AS varchar(10)) AS dt
),
known_days AS (
  SELECT dt, lead(dt) OVER (ORDER BY dt) AS next_dt FROM (SELECT DISTINCT dt FROM counted) AS seen
),
days AS (
  SELECT dt
  FROM (
    SELECT
      TRY_CAST(TRY_CAST(TRY_CAST(known_days.dt AS date) + INTERVAL '1' DAY * later.days_on AS date) AS varchar(10)) AS dt,
      known_days.next_dt
    FROM known_days
    CROSS JOIN (
      VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15), (16), (17), (18), (19),
        (20), (21), (22), (23), (24), (25), (26), (27), (28), (29), (30), (31)
    ) AS later (days_on)
    WHERE later.days_on = 0 OR known_days.next_dt IS NOT NULL
  ) AS listed
  WHERE next_dt IS NULL OR dt < next_dt
),
expected AS (
  SELECT days.dt, sensors.turbine, sensors.type
  FROM days
  CROSS JOIN (SELECT DISTINCT turbine, type FROM counted) AS sensors
  CROSS JOIN today
  WHERE days.dt <= today.dt
)
SELECT
  dt,
  turbine,
  type,
  readings,
  hours_with_readings,
  first_date,
  last_date,
  CASE
    WHEN readings = 0 THEN CAST(0 AS double)
    ELSE TRY_CAST(readings AS double) / max(readings) OVER (PARTITION BY dt, type)
  END AS share
FROM (
  SELECT
    coalesce(counted.dt, expected.dt) AS dt,
    coalesce(counted.turbine, expected.turbine) AS turbine,
    coalesce(counted.type, expected.type) AS type,
    coalesce(counted.readings, 0) AS readings,
    coalesce(counted.hours_with_readings, 0) AS hours_with_readings,
    counted.first_date,
    counted.last_date
  FROM counted
  FULL JOIN expected
    ON counted.dt = expected.dt AND counted.turbine = expected.turbine AND counted.type = expected.type
) AS filled
ORDER BY dt, turbine, type
