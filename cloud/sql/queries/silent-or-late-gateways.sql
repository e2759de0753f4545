-- Gateways that are silent, and how late readings came in.
--
-- last_received is compared with the newest reading of the whole farm: silent is 1 for a gateway that has been quiet for
-- more than an hour before it. The three counts tell how many readings a gateway took more than five minutes, an hour, a
-- day after they were measured; early ones are dated, by a clock that is ahead, more than five minutes after receipt.
SELECT
  gateways.gateway,
  gateways.last_received,
  CASE WHEN gateways.last_received < farm.newest - INTERVAL '1' HOUR THEN 1 ELSE 0 END AS silent,
  gateways.readings,
  gateways.late_5_minutes,
  gateways.late_1_hour,
  gateways.late_1_day,
  gateways.early
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
  WHERE dt >= '2000-01-01'
  GROUP BY gateway
) AS gateways
CROSS JOIN (
  SELECT max(received) AS newest
  FROM readings
  WHERE dt >= '2000-01-01'
) AS farm
ORDER BY gateways.gateway
