-- Episodes of values outside a sensor's plausible range.
--
-- An episode is a run of such readings of one sensor without a plausible one between them: when it began and ended, how
-- many readings it has, and its least and greatest value. The ranges are the contract's; npm run query and the deployment
-- put them in. An episode may cross midnight. A type without a range has no episodes.
SELECT
  turbine,
  type,
  min(date) AS began,
  max(date) AS ended,
  count(*) AS readings,
  min(data) AS min_value,
  max(data) AS max_value
FROM (
  SELECT
    turbine, type, date, data, outside,
    row_number() OVER (PARTITION BY turbine, type ORDER BY date, received, id, data)
      - row_number() OVER (PARTITION BY turbine, type, outside ORDER BY date, received, id, data) AS run
  FROM (
    SELECT
      turbine, type, date, data, received, id,
      CASE
        /* WHEN the value is outside the plausible range of its type THEN 1 */
        ELSE 0
      END AS outside
    FROM readings
    WHERE dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '7' DAY AS date) AS varchar(10))
  ) AS judged
) AS runs
WHERE outside = 1
GROUP BY turbine, type, run
ORDER BY turbine, type, began, ended
