-- The gateways' own state, as each tells once a minute: one row a status line.
--
-- From the view raw_gateways: the lines of the kind gateway, with is_json = 'true', every column a string. sent is the
-- gateway's own clock, arrived the hour in which the line reached the lake. first is the smallest seq that was still buffered,
-- last the largest that was stored. A number that can't be read is NULL. Lines without gateway, epoch or sent are rejects.
SELECT
  gateway,
  site,
  epoch,
  CASE WHEN regexp_replace(first, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(first AS bigint) END AS first,
  CASE WHEN regexp_replace(last, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(last AS bigint) END AS last,
  TRY_CAST(concat(substr(sent, 1, 10), ' ', substr(sent, 12, 12)) AS timestamp) AS sent,
  version,
  state,
  CASE WHEN regexp_replace(received, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(received AS bigint) END AS received,
  CASE WHEN regexp_replace(buffered, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(buffered AS bigint) END AS buffered,
  CASE WHEN regexp_replace(shipped, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(shipped AS bigint) END AS shipped,
  CASE WHEN regexp_replace(rejected, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(rejected AS bigint) END AS rejected,
  CASE WHEN regexp_replace(dropped, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(dropped AS bigint) END AS dropped,
  CASE
    WHEN regexp_replace(cpu, '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$', '') = ''
    THEN TRY_CAST(cpu AS double)
  END AS cpu,
  CASE WHEN regexp_replace(memory, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(memory AS bigint) END AS memory,
  CASE
    WHEN regexp_replace(temperature, '^[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?$', '') = ''
    THEN TRY_CAST(temperature AS double)
  END AS temperature,
  CASE WHEN regexp_replace(disk_free, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(disk_free AS bigint) END AS disk_free,
  CASE WHEN clock_synced = 'true' THEN true WHEN clock_synced = 'false' THEN false END AS clock_synced,
  CASE WHEN regexp_replace(written_today, '^[0-9]{1,15}$', '') = '' THEN TRY_CAST(written_today AS bigint) END AS written_today,
  TRY_CAST(
    concat(substr(split_part(raw_object, '/', 2), 4), ' ', substr(split_part(raw_object, '/', 3), 4), ':00:00') AS timestamp
  ) AS arrived,
  raw_object AS object
FROM raw_gateways
WHERE gateway <> '' AND epoch <> ''
  AND sent >= '0001' AND regexp_replace(sent, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}[.][0-9]{3}Z$', '') = ''
  AND TRY_CAST(concat(substr(sent, 1, 10), ' ', substr(sent, 12, 12)) AS timestamp) IS NOT NULL
