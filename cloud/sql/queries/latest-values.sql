-- The latest value of each sensor of each turbine.
--
-- One row a turbine and type: when it was measured (date), the value (data) in the sensor's unit, and when the gateway
-- took it (received). Readings dated more than an hour after their receipt come from a clock that is ahead and are left
-- out, or they would be the latest for ever. Of the last seven days: change the line with INTERVAL '7' DAY for others.
SELECT turbine, type, date, data, gateway, received
FROM (
  SELECT
    turbine, type, date, data, gateway, received,
    row_number() OVER (PARTITION BY turbine, type ORDER BY date DESC, received DESC, id DESC, data DESC) AS place
  FROM readings
  WHERE dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '7' DAY AS date) AS varchar(10))
    AND date <= received + INTERVAL '1' HOUR
) AS ranked
WHERE place = 1
ORDER BY turbine, type
