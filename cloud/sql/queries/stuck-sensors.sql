-- Sensors that repeat one value.
--
-- A real sensor's last digits move. Listed are runs of at least 20 readings with the very same value over at least ten
-- minutes: when the run began and ended, and the value it was stuck at.
SELECT turbine, type, data AS stuck_at, began, ended, readings
FROM (
  SELECT turbine, type, data, min(date) AS began, max(date) AS ended, count(*) AS readings
  FROM (
    SELECT
      turbine, type, data, date,
      row_number() OVER (PARTITION BY turbine, type ORDER BY date, received, id, data)
        - row_number() OVER (PARTITION BY turbine, type, data ORDER BY date, received, id) AS run
    FROM readings
    WHERE dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '7' DAY AS date) AS varchar(10))
  ) AS numbered
  GROUP BY turbine, type, data, run
) AS runs
WHERE readings >= 20 AND ended >= began + INTERVAL '10' MINUTE
ORDER BY turbine, type, began
