-- Every raw line that is neither a reading nor a gateway's status, with its reason: not_json (among them what is longer than
-- 1 MiB), bad_status, unknown_kind, no_id, bad_value, no_type, bad_date, no_turbine, no_delivery (gateway, epoch or seq
-- unusable), bad_received.
SELECT reason, raw_object AS object, raw_line AS line
FROM checked_readings
WHERE reason IS NOT NULL
