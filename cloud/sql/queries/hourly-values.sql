-- Mean, least and greatest value of each hour, per type and turbine.
--
-- One row an hour with readings: the hour's beginning in UTC, how many readings it has, and their mean, minimum and
-- maximum in the sensor's unit. Looking at fewer days reads less: change the day below.
SELECT
  type,
  turbine,
  date_trunc('hour', date) AS hour_start,
  count(*) AS readings,
  avg(data) AS mean_value,
  min(data) AS min_value,
  max(data) AS max_value
FROM readings
WHERE dt >= '2000-01-01'
GROUP BY type, turbine, date_trunc('hour', date)
ORDER BY type, turbine, hour_start
