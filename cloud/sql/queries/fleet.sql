-- The fleet: each gateway's last status line of the last 31 days.
--
-- silent is 1 for a gateway whose last line arrived more than an hour before the newest of any, or more than eight hours before
-- now, which is longer than the table ever is behind. behind counts the readings that waited in its buffer. clock_off is 1
-- where the gateway's own time, last_sent, is not within the hour in which the line arrived and a quarter before it;
-- clock_synced is what its operating system says. memory, disk_free and written_today are bytes, cpu is the share of a core,
-- temperature °C. Counters are counted since the epoch began. Gateways that never told their state are not listed: the query
-- silent-or-late-gateways knows them by their readings.
SELECT
  gateway,
  site,
  CASE
    WHEN arrived < newest - INTERVAL '1' HOUR OR arrived < asked_at - INTERVAL '8' HOUR THEN 1
    ELSE 0
  END AS silent,
  arrived AS last_arrived,
  sent AS last_sent,
  state,
  buffered AS behind,
  version,
  CASE
    WHEN sent >= arrived - INTERVAL '15' MINUTE AND sent <= arrived + INTERVAL '65' MINUTE THEN 0
    ELSE 1
  END AS clock_off,
  clock_synced,
  disk_free,
  written_today,
  cpu,
  memory,
  temperature,
  received,
  shipped,
  rejected,
  dropped,
  epoch
FROM (
  SELECT
    gateway, site, epoch, sent, version, state, received, buffered, shipped, rejected, dropped, cpu, memory, temperature,
    disk_free, clock_synced, written_today, arrived, asked_at,
    max(arrived) OVER () AS newest,
    row_number() OVER (
      PARTITION BY gateway ORDER BY arrived DESC, sent DESC, coalesce(received, 0) DESC, coalesce(shipped, 0) DESC
    ) AS place
  FROM gateways
  CROSS JOIN (SELECT TRY_CAST(current_timestamp AS timestamp) AS asked_at) AS clock
  WHERE arrived >= asked_at - INTERVAL '31' DAY
) AS told
WHERE place = 1
ORDER BY silent DESC, gateway
