-- Did everything arrive? Per gateway and epoch, and one row for each range of readings that is missing.
--
-- A gateway numbers its readings 1, 2, 3 … within an epoch. expected is the largest number that is known, arrived how many of
-- them came. A hole is pending while the gateway still has it in its buffer, by its own status line, and missing once it has
-- not: missing_first to missing_last. A status line counts when a later one was sent 15 minutes after it, for what it says was
-- shipped may still be on its way to the lake. A gateway that tells no status, or has begun another epoch, owes every number
-- below its largest. again counts deliveries that came more than once; equal are deliveries that say what another one says, of
-- which the table keeps one, equal_dup those of them that MQTT's DUP flag explains. doubled counts rows of the table beyond the
-- first of a delivery and must be 0.
WITH delivered AS (
  SELECT DISTINCT object, gateway, epoch, first, last, lines, dup FROM deliveries WHERE gateway IS NOT NULL
),
ordered AS (
  SELECT
    gateway, epoch, first, last, lines,
    coalesce(
      max(last) OVER (PARTITION BY gateway, epoch ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
    ) AS reached
  FROM delivered
),
came AS (
  SELECT
    gateway, epoch,
    max(last) AS last,
    sum(lines) AS lines,
    sum(CASE WHEN last > reached THEN last - CASE WHEN first > reached THEN first - 1 ELSE reached END ELSE 0 END) AS arrived
  FROM ordered
  GROUP BY gateway, epoch
),
flagged AS (
  SELECT gateway, epoch, sum(dup) AS dup
  FROM (SELECT DISTINCT gateway, epoch, first, last, dup FROM delivered) AS runs
  GROUP BY gateway, epoch
),
told AS (
  SELECT
    gateway, epoch, first, last, settled,
    row_number() OVER (PARTITION BY gateway, epoch, settled ORDER BY coalesce(received, 0) DESC, sent DESC) AS place,
    row_number() OVER (PARTITION BY gateway ORDER BY arrived DESC, sent DESC, coalesce(received, 0) DESC) AS age
  FROM (
    SELECT
      gateway, epoch, first, last, sent, received, arrived,
      CASE WHEN sent <= max(sent) OVER (PARTITION BY gateway) - INTERVAL '15' MINUTE THEN 1 ELSE 0 END AS settled
    FROM gateways
  ) AS status_lines
),
status AS (
  SELECT
    gateway, epoch,
    max(last) AS last,
    max(CASE WHEN age = 1 THEN 1 ELSE 0 END) AS present,
    max(CASE WHEN settled = 1 AND place = 1 THEN coalesce(first, last + 1) ELSE 0 END) AS owed_below
  FROM told
  GROUP BY gateway, epoch
),
epochs AS (
  SELECT
    coalesce(came.gateway, status.gateway) AS gateway,
    coalesce(came.epoch, status.epoch) AS epoch,
    coalesce(came.last, 0) AS last,
    CASE WHEN status.last > coalesce(came.last, 0) THEN status.last ELSE coalesce(came.last, 0) END AS expected,
    coalesce(came.arrived, 0) AS arrived,
    coalesce(came.lines, 0) AS lines,
    CASE WHEN status.present = 1 THEN status.owed_below ELSE 1000000000000000 END AS owed_below
  FROM came
  FULL JOIN status ON came.gateway = status.gateway AND came.epoch = status.epoch
),
holes AS (
  SELECT gateway, epoch, reached + 1 AS first, first - 1 AS last FROM ordered WHERE first > reached + 1
  UNION ALL
  SELECT gateway, epoch, last + 1 AS first, expected AS last FROM epochs WHERE expected > last
),
missing AS (
  SELECT
    holes.gateway,
    holes.epoch,
    holes.first,
    CASE WHEN holes.last < epochs.owed_below THEN holes.last ELSE epochs.owed_below - 1 END AS last
  FROM holes
  JOIN epochs ON holes.gateway = epochs.gateway AND holes.epoch = epochs.epoch
  WHERE holes.first < epochs.owed_below
),
lost AS (
  SELECT gateway, epoch, sum(last - first + 1) AS missing FROM missing GROUP BY gateway, epoch
),
kept AS (
  SELECT
    gateway, epoch,
    count(*) AS kept,
    count(DISTINCT seq) AS deliveries,
    sum(CASE WHEN dup THEN 1 ELSE 0 END) AS dup
  FROM readings
  GROUP BY gateway, epoch
)
SELECT
  gateway,
  epoch,
  expected,
  TRY_CAST(arrived AS bigint) AS arrived,
  TRY_CAST(missing AS bigint) AS missing,
  TRY_CAST(expected - arrived - missing AS bigint) AS pending,
  TRY_CAST(lines - arrived AS bigint) AS again,
  TRY_CAST(equal AS bigint) AS equal,
  TRY_CAST(CASE WHEN equal_dup < 0 THEN 0 WHEN equal_dup < equal THEN equal_dup ELSE equal END AS bigint) AS equal_dup,
  doubled,
  missing_first,
  missing_last
FROM (
  SELECT
    epochs.gateway,
    epochs.epoch,
    epochs.expected,
    epochs.arrived,
    epochs.lines,
    coalesce(lost.missing, 0) AS missing,
    CASE WHEN epochs.arrived > coalesce(kept.deliveries, 0) THEN epochs.arrived - coalesce(kept.deliveries, 0) ELSE 0 END AS equal,
    coalesce(flagged.dup, 0) - coalesce(kept.dup, 0) AS equal_dup,
    coalesce(kept.kept - kept.deliveries, 0) AS doubled,
    missing.first AS missing_first,
    missing.last AS missing_last
  FROM epochs
  LEFT JOIN lost ON epochs.gateway = lost.gateway AND epochs.epoch = lost.epoch
  LEFT JOIN missing ON epochs.gateway = missing.gateway AND epochs.epoch = missing.epoch
  LEFT JOIN flagged ON epochs.gateway = flagged.gateway AND epochs.epoch = flagged.epoch
  LEFT JOIN kept ON epochs.gateway = kept.gateway AND epochs.epoch = kept.epoch
) AS counted
ORDER BY gateway, epoch, missing_first
