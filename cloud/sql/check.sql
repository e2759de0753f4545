-- Every raw line, read: its columns in the table's types, and the reason where it can't be a reading.
--
-- From the view raw_readings, whose columns are all strings: is_json ('true' for one JSON object), kind, sent, id, data, type,
-- date, turbine, gateway, epoch, seq, received, day, dup, raw_object (its key, from the raw folder on), raw_line. To be
-- registered as the view checked_readings. A line with kind is never a reading: sound ones of the kind gateway are left to
-- gateways.sql, others are rejects. shelf, the table's partition on AWS, is the day, or other where no clock that is nearly
-- right can have made the date; it is measured by the arrival, for a gateway without a clock battery starts in 1970.
--
-- Spark SQL 3.5, Trino (Athena engine 3) and DuckDB read this text alike. What looks laborious is what makes them agree:
-- the shape of a text is tested before TRY_CAST sees it, because left alone one engine or another takes 1d, 0x1p3, 1_000,
-- the year alone, the word epoch, or the hour 24. An anchored regexp_replace is the one shape test all three share.
-- Trino casts no text with a T in it, hence the substr.
SELECT
  id,
  CASE WHEN value = 0 THEN CAST(0 AS double) ELSE value END AS data,
  type,
  moment AS date,
  turbine,
  gateway,
  epoch,
  number AS seq,
  arrival AS received,
  CASE WHEN day = 'true' THEN true END AS day,
  CASE WHEN dup = 'true' THEN true END AS dup,
  CASE WHEN moment IS NOT NULL THEN substr(date, 1, 10) END AS dt,
  CASE
    WHEN moment BETWEEN object_hour - INTERVAL '400' DAY AND object_hour + INTERVAL '2' DAY THEN substr(date, 1, 10)
    ELSE 'other'
  END AS shelf,
  CASE
    WHEN is_json IS NULL OR is_json <> 'true' THEN 'not_json'
    WHEN kind = 'gateway' THEN 'bad_status'
    WHEN kind IS NOT NULL THEN 'unknown_kind'
    WHEN id IS NULL OR id = '' THEN 'no_id'
    WHEN value IS NULL OR NOT value BETWEEN -1.7976931348623157E308 AND 1.7976931348623157E308 THEN 'bad_value'
    WHEN type IS NULL OR type = '' THEN 'no_type'
    WHEN moment IS NULL THEN 'bad_date'
    WHEN turbine IS NULL OR turbine = '' THEN 'no_turbine'
    WHEN gateway IS NULL OR gateway = '' OR epoch IS NULL OR epoch = '' OR number IS NULL THEN 'no_delivery'
    WHEN arrival IS NULL THEN 'bad_received'
  END AS reason,
  raw_object,
  raw_line
FROM (
  SELECT
    is_json, kind, id, type, date, turbine, gateway, epoch, day, dup, raw_object, raw_line,
    CASE
      WHEN regexp_replace(data, '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$', '') = ''
      THEN TRY_CAST(data AS double)
    END AS value,
    CASE
      WHEN regexp_replace(seq, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(seq AS bigint)
    END AS number,
    CASE
      WHEN regexp_replace(date, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$', '') = ''
        AND date > '0001'
      THEN TRY_CAST(concat(substr(date, 1, 10), ' ', substr(date, 12, 12)) AS timestamp)
      WHEN regexp_replace(date, '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', '') = '' AND date > '0001'
      THEN TRY_CAST(date AS timestamp)
    END AS moment,
    CASE
      WHEN regexp_replace(received, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$', '') = ''
        AND received > '0001'
      THEN TRY_CAST(concat(substr(received, 1, 10), ' ', substr(received, 12, 12)) AS timestamp)
    END AS arrival,
    TRY_CAST(
      concat(substr(split_part(raw_object, '/', 2), 4), ' ', substr(split_part(raw_object, '/', 3), 4), ':00:00') AS timestamp
    ) AS object_hour
  FROM raw_readings
  WHERE kind IS NULL OR kind <> 'gateway' OR gateway IS NULL OR gateway = '' OR epoch IS NULL OR epoch = '' OR sent IS NULL
    OR sent < '0001' OR regexp_replace(sent, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$', '') <> ''
    OR TRY_CAST(concat(substr(sent, 1, 10), ' ', substr(sent, 12, 12)) AS timestamp) IS NULL
) AS typed
