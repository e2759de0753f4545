-- The curated table: each reading once, however often it was delivered.
--
-- From the view checked_readings (check.sql). A delivery (gateway, epoch, seq) counts once. Of deliveries that say the same,
-- (gateway, turbine, type, id, date, data), one stays: the first received, one without MQTT's DUP flag before one with it. A
-- producer that names only a day may say the same twice and mean two readings: of those all without dup stay, and of those
-- with dup one, only while there is none without. The order is total, so any splitting, repeating or shuffling of the raw
-- data gives the same rows. dt is the UTC day of date.
SELECT id, data, type, date, turbine, gateway, epoch, seq, received, day, dup, dt, shelf
FROM (
  SELECT
    id, data, type, date, turbine, gateway, epoch, seq, received, day, dup, dt, shelf,
    row_number() OVER (
      PARTITION BY gateway, turbine, type, id, date, data, day
      ORDER BY CASE WHEN dup THEN 1 ELSE 0 END, received, epoch, seq
    ) AS place
  FROM (
    SELECT
      id, data, type, date, turbine, gateway, epoch, seq, received, day, dup, dt, shelf,
      row_number() OVER (
        PARTITION BY gateway, epoch, seq
        ORDER BY CASE WHEN dup THEN 1 ELSE 0 END, received, turbine, type, id, date, data, CASE WHEN day THEN 1 ELSE 0 END, shelf
      ) AS copy
    FROM checked_readings
    WHERE reason IS NULL
  ) AS deliveries
  WHERE copy = 1
) AS readings
WHERE place = 1 OR (day AND dup IS NULL)
