-- What arrived under each gateway's name, as it arrived: every delivery, before anything is left out.
--
-- One row a line of the raw objects of the last day, by the day and hour of arrival; every column is a text. Lines that the
-- table rejects are here too. To look at one gateway, or since a moment, say so below: AND gateway = 'gw-01', AND hr >= '14'.
SELECT dt, hr, kind, gateway, epoch, seq, received, turbine, type, id, date, data, day, dup
FROM raw_readings
WHERE dt >= TRY_CAST(TRY_CAST(TRY_CAST(current_timestamp AS timestamp) - INTERVAL '1' DAY AS date) AS varchar(10))
ORDER BY dt, hr, gateway, epoch, TRY_CAST(seq AS bigint)
LIMIT 1000
