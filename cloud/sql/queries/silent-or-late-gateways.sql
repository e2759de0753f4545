-- Gateways that are silent, and how late readings came in.
--
-- silent is 1 for a gateway that has been quiet for more than an hour while others were not, or for more than eight hours
-- before now, which is longer than the table ever is behind; so a farm of which nothing comes is silent too, and any
-- gateway is in days long past. Others are not quiet when two of them, or the only other one, took something later: one clock
-- that is ahead does not silence the farm. clock_ahead is 1 where last_received is more than five minutes after now; whether
-- that gateway is silent can't be seen. The three counts tell how many readings a gateway took more than five minutes, an
-- hour, a day after they were measured; early ones are dated, by a clock that is ahead, more than five minutes after receipt.
SELECT
  gateway,
  last_received,
  CASE
    WHEN last_received < asked_at - INTERVAL '8' HOUR OR last_received < others_received - INTERVAL '1' HOUR THEN 1
    ELSE 0
  END AS silent,
  clock_ahead,
  readings,
  late_5_minutes,
  late_1_hour,
  late_1_day,
  early
FROM (
  SELECT
    gateway, last_received, asked_at, clock_ahead, readings, late_5_minutes, late_1_hour, late_1_day, early,
    max(CASE WHEN clock_ahead = 0 AND (place = 2 OR gateways < 3) THEN last_received END) OVER () AS others_received
  FROM (
    SELECT
      gateway, last_received, asked_at, clock_ahead, readings, late_5_minutes, late_1_hour, late_1_day, early,
      row_number() OVER (PARTITION BY clock_ahead ORDER BY last_received DESC, gateway) AS place,
      count(*) OVER (PARTITION BY clock_ahead) AS gateways
    FROM (
      SELECT
        gateway, last_received, asked_at, readings, late_5_minutes, late_1_hour, late_1_day, early,
        CASE WHEN last_received > asked_at + INTERVAL '5' MINUTE THEN 1 ELSE 0 END AS clock_ahead
      FROM (
        SELECT
          gateway,
          max(received) AS last_received,
          count(*) AS readings,
          sum(CASE WHEN received > date + INTERVAL '5' MINUTE THEN 1 ELSE 0 END) AS late_5_minutes,
          sum(CASE WHEN received > date + INTERVAL '1' HOUR THEN 1 ELSE 0 END) AS late_1_hour,
          sum(CASE WHEN received > date + INTERVAL '1' DAY THEN 1 ELSE 0 END) AS late_1_day,
          sum(CASE WHEN date > received + INTERVAL '5' MINUTE THEN 1 ELSE 0 END) AS early
        FROM readings
        WHERE dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '7' DAY AS date) AS varchar(10))
        GROUP BY gateway
      ) AS counted
      CROSS JOIN (SELECT TRY_CAST(current_timestamp AS timestamp) AS asked_at) AS clock
    ) AS told
  ) AS ranked
) AS judged
ORDER BY gateway
