-- What each raw object delivered: one row a run of seq without a gap.
--
-- From the view checked_readings (check.sql). lines counts the run's lines, so a delivery that is in the object twice counts
-- twice; dup counts its deliveries that came with MQTT's DUP flag. What no object holds is missing: the query delivery-gaps.
SELECT
  raw_object AS object,
  gateway,
  epoch,
  min(seq) AS first,
  max(seq) AS last,
  TRY_CAST(sum(lines) AS bigint) AS lines,
  TRY_CAST(sum(dup) AS bigint) AS dup
FROM (
  SELECT
    raw_object, gateway, epoch, seq, lines, dup,
    seq - row_number() OVER (PARTITION BY raw_object, gateway, epoch ORDER BY seq) AS run
  FROM (
    SELECT raw_object, gateway, epoch, seq, count(*) AS lines, max(CASE WHEN dup THEN 1 ELSE 0 END) AS dup
    FROM checked_readings
    WHERE reason IS NULL
    GROUP BY raw_object, gateway, epoch, seq
  ) AS numbers
) AS runs
GROUP BY raw_object, gateway, epoch, run
