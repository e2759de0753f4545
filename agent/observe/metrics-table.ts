/** Every `windfarm_*` metric: its name, its meaning, and where in the snapshot it is read. */

import { byLabel, counter, gauge, type MetricDefinition, oneOf, usage } from "./metric-kinds.ts";
import type { AgentState, Snapshot } from "./snapshot.ts";

const STATES: Readonly<Record<AgentState, true>> = {
  starting: true,
  delivering: true,
  idle: true,
  buffering: true,
  full: true,
  failed: true,
  stopping: true,
};
const BUFFER_STATES: Readonly<Record<Snapshot["buffer"]["state"], true>> = {
  storing: true,
  full: true,
  disk_full: true,
  failed: true,
};

export const METRICS: readonly MetricDefinition[] = [
  {
    name: "windfarm_info",
    help: "Always 1; the labels identify this gateway and what it runs.",
    type: "gauge",
    labels: ["gateway", "site", "version", "epoch", "collect_mode", "stream", "region"],
    values: ({ gateway, site, version, epoch, collect, ship }) => [
      [
        1,
        {
          gateway,
          site,
          version,
          epoch,
          collect_mode: collect.mode,
          stream: ship.stream,
          region: ship.region,
        },
      ],
    ],
  },
  {
    name: "windfarm_state",
    help: "1 for the state the agent is in, 0 for the others.",
    type: "gauge",
    labels: ["state"],
    values: (snapshot) => oneOf(STATES, snapshot.state),
  },
  counter(
    "windfarm_readings_received_total",
    "Readings received since the buffer was created; always the sum of buffered, shipped, rejected and dropped.",
    (s) => s.received,
  ),
  gauge(
    "windfarm_readings_buffered",
    "Readings on disk that Kinesis has not accepted yet.",
    (s) => s.buffered,
  ),
  counter(
    "windfarm_readings_shipped_total",
    "Readings that Kinesis accepted, since the buffer was created.",
    (s) => s.shipped,
  ),
  counter(
    "windfarm_readings_rejected_total",
    "Messages that could not be understood and were set aside, since the buffer was created.",
    (s) => s.rejected,
  ),
  counter(
    "windfarm_readings_dropped_total",
    "Readings dropped to make room for newer ones, since the buffer was created.",
    (s) => s.dropped,
  ),
  gauge(
    "windfarm_oldest_buffered_age_seconds",
    "Age of the oldest reading in the buffer, in seconds; 0 if it is empty.",
    (s) => s.oldestBufferedSeconds,
  ),
  gauge(
    "windfarm_collect_ready",
    "1 while sensors can reach the agent: its broker listens, or it is subscribed to the existing one; see windfarm_buffer_state for whether it can store.",
    (s) => Number(s.collect.ready),
  ),
  gauge("windfarm_collect_connections", "Open MQTT connections.", (s) => s.collect.connections),
  byLabel(
    "windfarm_collect_connections_closed_total",
    "MQTT connections that the agent closed, by reason, since it started.",
    "reason",
    (s) => s.collect.closedConnections,
  ),
  byLabel(
    "windfarm_collect_refused_logins_total",
    "MQTT logins refused, by source address, since the agent started.",
    "address",
    (s) => s.collect.refusedLogins,
  ),
  byLabel(
    "windfarm_validate_accepted_total",
    "Readings understood, by type, since the agent started.",
    "type",
    (s) => s.validate.accepted,
  ),
  byLabel(
    "windfarm_validate_out_of_range_total",
    "Readings kept although their value is outside the plausible range, by type, since the agent started.",
    "type",
    (s) => s.validate.outOfRange,
  ),
  byLabel(
    "windfarm_validate_rejected_total",
    "Messages that could not be understood, by reason, since the agent started.",
    "reason",
    (s) => s.validate.rejected,
  ),
  {
    name: "windfarm_buffer_state",
    help: "1 for the state the buffer is in, 0 for the others.",
    type: "gauge",
    labels: ["state"],
    values: (snapshot) => oneOf(BUFFER_STATES, snapshot.buffer.state),
  },
  gauge(
    "windfarm_buffer_used_bytes",
    "Bytes of its quota that the buffer is using.",
    (s) => s.buffer.usedBytes,
  ),
  gauge("windfarm_buffer_max_bytes", "The buffer's quota in bytes.", (s) => s.buffer.maxBytes),
  gauge(
    "windfarm_buffer_lasts_seconds",
    "How long the buffer's free space would last at the current rate if nothing were shipped, in seconds.",
    (s) => s.buffer.lastsSeconds,
  ),
  gauge(
    "windfarm_buffer_pending_readings",
    "Readings not acknowledged yet because their commit is in progress.",
    (s) => s.buffer.pending,
  ),
  gauge(
    "windfarm_buffer_rejects_kept",
    "Messages in the reject lane, ready to be replayed.",
    (s) => s.buffer.rejectsKept,
  ),
  counter(
    "windfarm_buffer_commits_total",
    "Transactions synced to disk since the agent started.",
    (s) => s.buffer.commits,
  ),
  counter(
    "windfarm_buffer_committed_readings_total",
    "Readings in those transactions, since the agent started.",
    (s) => s.buffer.committedReadings,
  ),
  counter(
    "windfarm_buffer_commit_seconds_total",
    "Time spent in transactions, in seconds, since the agent started.",
    (s) => s.buffer.commitSeconds,
  ),
  gauge(
    "windfarm_buffer_longest_commit_seconds",
    "The longest transaction since the agent started, in seconds.",
    (s) => s.buffer.longestCommitSeconds,
  ),
  gauge(
    "windfarm_buffer_salvaged_readings",
    "Readings recovered from damaged buffer files since the agent started.",
    (s) => s.buffer.salvagedReadings,
  ),
  counter(
    "windfarm_ship_requests_total",
    "PutRecords requests since the agent started.",
    (s) => s.ship.requests,
  ),
  counter(
    "windfarm_ship_failed_requests_total",
    "PutRecords requests in which at least one record was not accepted, since the agent started.",
    (s) => s.ship.failedRequests,
  ),
  counter(
    "windfarm_ship_records_total",
    "Kinesis records accepted since the agent started.",
    (s) => s.ship.records,
  ),
  counter(
    "windfarm_ship_failed_records_total",
    "Kinesis records that were sent but not accepted, counted at each attempt, since the agent started.",
    (s) => s.ship.failedRecords,
  ),
  counter(
    "windfarm_ship_readings_total",
    "Readings in the accepted records, since the agent started.",
    (s) => s.ship.readings,
  ),
  counter(
    "windfarm_ship_bytes_total",
    "Bytes in the accepted records, since the agent started.",
    (s) => s.ship.bytes,
  ),
  gauge(
    "windfarm_ship_backoff_seconds",
    "Seconds until the next attempt to reach Kinesis; 0 if nothing is wrong.",
    (s) => s.ship.backoffSeconds,
  ),
  gauge(
    "windfarm_ship_last_success_timestamp_seconds",
    "When Kinesis last accepted a record, in seconds since 1970.",
    (s) => (s.ship.lastSuccessMs === undefined ? undefined : s.ship.lastSuccessMs / 1000),
  ),
  gauge(
    "windfarm_ship_newest_timestamp_seconds",
    "When the newest accepted reading was received, in seconds since 1970: dashboards are current up to then.",
    (s) => (s.ship.newestShippedMs === undefined ? undefined : s.ship.newestShippedMs / 1000),
  ),
  gauge(
    "windfarm_ship_backlog_readings",
    "Readings waiting behind the live ones; 0 while all are shipped as they arrive.",
    (s) => s.ship.backlogReadings,
  ),
  gauge(
    "windfarm_ship_credentials_left_seconds",
    "How long the current credentials from AWS IoT remain valid, in seconds; they are renewed before they expire.",
    (s) => s.ship.identity?.secondsLeft,
  ),
  ...usage(
    "link",
    "through the sockets to AWS, in both directions, without TCP/IP overhead",
    (s) => s.usage?.link,
  ),
  ...usage("disk", "that the agent caused to be written to disk", (s) => s.usage?.disk),
  gauge("windfarm_health_load1", "Load average of the machine over one minute.", (s) => s.health.load1),
  gauge(
    "windfarm_health_temperature_celsius",
    "Temperature of the processor in °C.",
    (s) => s.health.temperatureCelsius,
  ),
  gauge(
    "windfarm_health_disk_free_bytes",
    "Free bytes on the file system that holds the buffer.",
    (s) => s.health.diskFreeBytes,
  ),
  gauge(
    "windfarm_health_disk_size_bytes",
    "Size of the file system that holds the buffer, in bytes.",
    (s) => s.health.diskTotalBytes,
  ),
  gauge(
    "windfarm_health_memory_free_bytes",
    "Memory that is still available to programs, in bytes.",
    (s) => s.health.memoryFreeBytes,
  ),
  gauge(
    "windfarm_health_memory_size_bytes",
    "Memory of the machine, in bytes.",
    (s) => s.health.memoryTotalBytes,
  ),
  gauge(
    "windfarm_health_throttled",
    "1 while a Raspberry Pi's processor is throttled because of heat or low voltage, else 0.",
    (s) => (s.health.throttled === undefined ? undefined : Number(s.health.throttled.length > 0)),
  ),
  gauge(
    "windfarm_health_clock_synchronised",
    "1 once systemd-timesyncd has set the clock since boot, else 0.",
    (s) => (s.health.clockSynchronised === undefined ? undefined : Number(s.health.clockSynchronised)),
  ),
  {
    name: "windfarm_health_certificate_end_timestamp_seconds",
    help: "When the agent's own certificates expire, by use, in seconds since 1970.",
    type: "gauge",
    labels: ["use"],
    values: ({ health }) => (health.certificates ?? []).map(({ use, endsMs }) => [endsMs / 1000, { use }]),
  },
];
