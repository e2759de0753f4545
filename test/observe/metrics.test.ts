import t from "tap";
import { createMetrics } from "../../agent/observe/metrics.ts";
import { METRICS } from "../../agent/observe/metrics-table.ts";
import { sampleSnapshot } from "./sample-snapshot.ts";

/** Series and their values, `name{labels}` as written. */
function seriesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

t.test("The account stands in the metrics as it stands in the snapshot, and adds up", async (t) => {
  const snapshot = sampleSnapshot();
  const series = seriesOf(await createMetrics().write(snapshot));
  const value = (name: string) => series.get(`windfarm_readings_${name}`) ?? Number.NaN;
  t.equal(value("received_total"), snapshot.received);
  t.equal(
    value("received_total"),
    value("buffered") + value("shipped_total") + value("rejected_total") + value("dropped_total"),
  );
});

t.test("A scrape shows its own snapshot and nothing of the one before", async (t) => {
  const metrics = createMetrics();
  await metrics.write(sampleSnapshot());
  const later = sampleSnapshot({ received: 7, state: "failed" });
  later.validate = { accepted: { "Power Factor": 2 }, outOfRange: {}, rejected: {} };
  const series = seriesOf(await metrics.write(later));
  t.equal(series.get("windfarm_readings_received_total"), 7, "a new buffer counts anew");
  t.equal(series.get('windfarm_validate_accepted_total{type="Power Factor"}'), 2);
  t.notOk(series.has('windfarm_validate_rejected_total{reason="not_json"}'));
  t.equal(series.get('windfarm_state{state="failed"}'), 1);
  t.equal(series.get('windfarm_state{state="delivering"}'), 0);
});

t.test("What isn't known is left out instead of shown as 0", async (t) => {
  const metrics = createMetrics();
  const known = seriesOf(await metrics.write(sampleSnapshot()));
  t.equal(known.get("windfarm_health_temperature_celsius"), 48);
  const bare = sampleSnapshot({ health: { rssBytes: 1, cpuSeconds: 1, load1: 0 } });
  delete bare.ship.lastSuccessMs;
  const unknown = seriesOf(await metrics.write(bare));
  t.notOk(unknown.has("windfarm_health_temperature_celsius"));
  t.notOk(unknown.has("windfarm_ship_last_success_timestamp_seconds"));
  t.equal(unknown.get("windfarm_health_load1"), 0, "0 that is known is shown");
});

t.test("Names from outside are escaped", async (t) => {
  const snapshot = sampleSnapshot({ site: 'a"b\\c\nd' });
  t.match(await createMetrics().write(snapshot), /site="a\\"b\\\\c\\nd"/);
});

t.test("A value that is no number costs its own line only", async (t) => {
  const series = seriesOf(
    await createMetrics().write(sampleSnapshot({ oldestBufferedSeconds: Number.NaN, dropped: -1 })),
  );
  t.equal(series.get("windfarm_readings_received_total"), 48_213);
  t.equal(series.get("windfarm_readings_dropped_total") ?? 0, 0);
});

t.test("The process is measured under the names every dashboard knows", async (t) => {
  const series = seriesOf(await createMetrics().write(sampleSnapshot()));
  t.ok((series.get("process_resident_memory_bytes") ?? 0) > 10e6);
  t.ok((series.get("process_cpu_seconds_total") ?? 0) > 0);
  t.ok((series.get("process_start_time_seconds") ?? 0) > 1.7e9);
  t.ok((series.get("nodejs_heap_size_used_bytes") ?? 0) > 1e6);
  t.ok((series.get("nodejs_eventloop_lag_seconds") ?? -1) >= 0);
  const utilization = series.get("nodejs_eventloop_utilization_ratio") ?? -1;
  t.ok(utilization >= 0 && utilization <= 1);
});

t.test(
  "Names follow Prometheus' rules: base units, _total for counters and only for them, a help text",
  async (t) => {
    for (const { name, type, help } of METRICS) {
      t.match(name, /^windfarm_[a-z0-9_]+$/);
      t.equal(name.endsWith("_total"), type === "counter", `${name} is a ${type}`);
      t.notMatch(name, /_(ms|milliseconds|minutes|kib|mib|percent)(_|$)/);
      t.match(help, /^[A-Z0-9].{10,}\.$/);
    }
    t.equal(new Set(METRICS.map(({ name }) => name)).size, METRICS.length, "no name twice");
  },
);
