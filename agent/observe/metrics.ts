/**
 * What Prometheus scrapes: the snapshot, written down at the moment of the scrape. Nothing is counted here, so a
 * reading costs the metrics nothing.
 */

import { performance } from "node:perf_hooks";
import { Counter, Gauge, type Metric, Registry } from "prom-client";
import { METRICS } from "./metrics-table.ts";
import type { Snapshot } from "./snapshot.ts";

export interface Metrics {
  contentType: string;
  /** The exposition text for one snapshot. */
  write(snapshot: Snapshot): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const writers = METRICS.map((definition) => {
    const { name, help, labels = [], values } = definition;
    const configuration = { name, help, labelNames: [...labels], registers: [registry] };
    const metric = definition.type === "counter" ? new Counter(configuration) : new Gauge(configuration);
    return (snapshot: Snapshot) => {
      metric.reset();
      // A labelled metric without a value yet shows no line; one without labels shows its value only.
      if (labels.length === 0) metric.remove();
      for (const [value, labelValues] of values(snapshot)) {
        // A value that is no number would cost the whole scrape.
        if (Number.isFinite(value) && (definition.type === "gauge" || value >= 0))
          metric.inc({ ...labelValues }, value);
      }
    };
  });
  addProcessMetrics(registry);
  return {
    contentType: registry.contentType,
    write: (snapshot) => {
      for (const write of writers) write(snapshot);
      return registry.metrics();
    },
  };
}

/** The names every Prometheus client uses for a process; read at the scrape, no timer behind them. */
function addProcessMetrics(registry: Registry): Metric[] {
  const before = { utilization: performance.eventLoopUtilization() };
  return [
    new Counter({
      name: "process_cpu_seconds_total",
      help: "CPU time of the agent's process, user and system, in seconds.",
      registers: [registry],
      collect() {
        const { user, system } = process.cpuUsage();
        this.reset();
        this.inc((user + system) / 1e6);
      },
    }),
    new Gauge({
      name: "process_resident_memory_bytes",
      help: "Resident memory of the agent's process, in bytes.",
      registers: [registry],
      collect() {
        this.set(process.memoryUsage.rss());
      },
    }),
    new Gauge({
      name: "process_start_time_seconds",
      help: "When the agent's process started, in seconds since 1970.",
      registers: [registry],
      collect() {
        this.set(performance.timeOrigin / 1000);
      },
    }),
    new Gauge({
      name: "nodejs_heap_size_used_bytes",
      help: "JavaScript heap in use, in bytes.",
      registers: [registry],
      collect() {
        this.set(process.memoryUsage().heapUsed);
      },
    }),
    new Gauge({
      name: "nodejs_eventloop_utilization_ratio",
      help: "Share of the time since the last scrape in which the event loop was busy, 0 to 1.",
      registers: [registry],
      collect() {
        const now = performance.eventLoopUtilization();
        this.set(performance.eventLoopUtilization(now, before.utilization).utilization);
        before.utilization = now;
      },
    }),
    new Gauge({
      name: "nodejs_eventloop_lag_seconds",
      help: "How long a callback had to wait for the event loop at this scrape, in seconds.",
      registers: [registry],
      async collect() {
        const asked = performance.now();
        await new Promise((resolve) => setImmediate(resolve));
        this.set((performance.now() - asked) / 1000);
      },
    }),
  ];
}
