-- Mean, least and greatest value of each hour, per type and turbine.
--
-- One row an hour with readings: the hour's beginning in UTC, how many readings it has, and their mean, minimum and
-- maximum in the sensor's unit. Of the last seven days: change the line with INTERVAL '7' DAY for others.
SELECT
  type,
  turbine,
  date_trunc('hour', date) AS hour_start,
  count(*) AS readings,
  avg(data) AS mean_value,
  min(data) AS min_value,
  max(data) AS max_value
FROM readings
WHERE dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '7' DAY AS date) AS varchar(10))
GROUP BY type, turbine, date_trunc('hour', date)
ORDER BY type, turbine, hour_start
