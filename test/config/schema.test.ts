import { readFileSync } from "node:fs";
import t from "tap";
import { parse } from "yaml";
import * as z from "zod";
import { parseConfig } from "../../agent/config/parse.ts";
import { configJsonSchema } from "../../agent/config/settings.ts";
import { DEFAULT_SENSORS } from "../../agent/contract/sensors.ts";

const minimal = readFileSync("test/cases/config/minimal/agent.config.yaml");

t.test("the defaults, in the program's own units", async (t) => {
  const { config } = parseConfig("minimal", minimal, {});
  t.same(config, {
    version: 1,
    gateway: { id: "gw-01", site: "", timezone: "UTC" },
    mqtt: {
      listen: { host: "127.0.0.1", port: 1883, tls: false, url: "mqtt://127.0.0.1:1883" },
      topic: "windfarm/+/+",
      maxPacketBytes: 65_536,
      maxConnections: 256,
      connectTimeoutMs: 10_000,
      keepaliveMs: 30_000,
    },
    readings: { sensors: Object.values(DEFAULT_SENSORS) },
    buffer: {
      path: "buffer.db",
      maxBytes: 2 ** 31,
      onFull: "refuse",
      lingerMs: 500,
      rejectsMaxBytes: 2 ** 26,
      ballastBytes: 2 ** 23,
    },
    kinesis: {
      stream: "windfarm-readings",
      region: "us-east-1",
      flushEveryMs: 10_000,
      maxInFlight: 4,
      requestTimeoutMs: 15_000,
      recordBytes: 51_200,
      credentials: { kind: "default" },
    },
    status: { host: "127.0.0.1", port: 8080, url: "http://127.0.0.1:8080" },
    log: { level: "info" },
  });
});

t.test(
  "the JSON Schema takes the shipped file as YAML reads it, and refuses what is wrong with it",
  async (t) => {
    const validator = z.fromJSONSchema(configJsonSchema());
    const shipped: unknown = parse(readFileSync("agent.config.yaml", "utf8"));
    t.same(validator.safeParse(shipped).error?.issues ?? [], []);
    t.ok(validator.safeParse(parse(minimal.toString())).success);
    const wrong = [
      "max_packets: 1",
      "max_connections: 0",
      "max_connections: many",
      "tls: {require_client_certificate: 3}",
    ];
    for (const line of wrong) {
      const text = minimal.toString().replace("  listen:", `  ${line}\n  listen:`);
      t.notOk(validator.safeParse(parse(text)).success, line);
    }
    t.ok(
      validator.safeParse(
        parse(minimal.toString().replace("  listen:", "  max_connections: $" + "{N}\n  listen:")),
      ).success,
    );
  },
);
