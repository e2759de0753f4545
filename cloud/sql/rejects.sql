-- Every raw line that is no reading, with its reason: not_json, no_id, bad_value, no_type, bad_date, no_turbine,
-- no_delivery (gateway, epoch or seq unusable), bad_received.
SELECT raw_object, reason, raw_line
FROM checked_readings
WHERE reason IS NOT NULL
