-- How much data each day has, per gateway.
--
-- Readings, turbines and sensors of the UTC day, its mean rate in readings per second, and the receipt of its first and
-- last reading; the last may be weeks after the day where a link was down.
SELECT
  dt,
  gateway,
  count(*) AS readings,
  count(DISTINCT turbine) AS turbines,
  count(DISTINCT concat(turbine, '/', type)) AS sensors,
  CAST(count(*) AS double) / 86400 AS readings_per_second,
  min(received) AS first_received,
  max(received) AS last_received
FROM readings
WHERE dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '7' DAY AS date) AS varchar(10))
GROUP BY dt, gateway
ORDER BY dt, gateway
