-- The curated table: each reading once, however often it was delivered.
--
-- From the view checked_readings (check.sql). A reading is what its producer said, (turbine, type, id, date, data). Of
-- several deliveries the first received stays; the order is total, so any splitting, repeating or shuffling of the raw
-- data gives the same rows. dt is the UTC day of date, and the table's partition.
SELECT id, data, type, date, turbine, gateway, epoch, seq, received, dt
FROM (
  SELECT
    id, data, type, date, turbine, gateway, epoch, seq, received, dt, reason,
    row_number() OVER (
      PARTITION BY turbine, type, id, date, data
      ORDER BY CASE WHEN reason IS NULL THEN 0 ELSE 1 END, received, gateway, epoch, seq
    ) AS delivery
  FROM checked_readings
) AS deliveries
WHERE delivery = 1 AND reason IS NULL
