-- How complete each day is, per turbine and type.
--
-- hours_with_readings counts the hours of the UTC day, of 24, that have any reading. share compares the day's readings
-- with those of the turbine that has most of that type: 1 is as complete as the best. A day that is still going on has
-- fewer hours by nature. Whether everything a gateway took has arrived is another question: npm run audit answers it.
SELECT
  counted.dt,
  counted.turbine,
  counted.type,
  counted.readings,
  counted.hours_with_readings,
  counted.first_date,
  counted.last_date,
  CAST(counted.readings AS double) / CAST(best.most_readings AS double) AS share
FROM (
  SELECT
    dt, turbine, type,
    count(*) AS readings,
    count(DISTINCT date_trunc('hour', date)) AS hours_with_readings,
    min(date) AS first_date,
    max(date) AS last_date
  FROM readings
  WHERE dt >= '2000-01-01'
  GROUP BY dt, turbine, type
) AS counted
JOIN (
  SELECT dt, type, max(readings) AS most_readings
  FROM (
    SELECT dt, turbine, type, count(*) AS readings
    FROM readings
    WHERE dt >= '2000-01-01'
    GROUP BY dt, turbine, type
  ) AS each_turbine
  GROUP BY dt, type
) AS best
  ON best.dt = counted.dt AND best.type = counted.type
ORDER BY counted.dt, counted.turbine, counted.type
