/** Makes the agent's parts from its configuration: what each room is told, and nothing more. */

import { dirname } from "node:path";
import type { Logger } from "pino";
import { openBuffer } from "./buffer/open.ts";
import type { ReadingBuffer } from "./buffer/types.ts";
import { EmbeddedBroker } from "./collect/broker.ts";
import type { Collector, Intake } from "./collect/intake.ts";
import { createSubscriber } from "./collect/subscriber.ts";
import type { AgentConfig } from "./config/schema.ts";
import { EXIT, Fault } from "./errors.ts";
import { HealthSampler } from "./observe/health.ts";
import { Pipeline } from "./pipeline.ts";
import { createShipper, type Shipper } from "./ship/shipper.ts";
import { Validator } from "./validate/validator.ts";

export interface Parts {
  buffer: ReadingBuffer;
  validator: Validator;
  collector: Collector;
  shipper: Shipper;
  health: HealthSampler;
}

/** `stateLine`: the gateway's state as it travels. Opens the buffer and builds the rest around it; nothing else is started. Throws the Fault of what can't be, with the buffer closed. */
export function buildParts(
  config: AgentConfig,
  log: Logger,
  now: () => number,
  stateLine: () => string | undefined,
): Parts {
  const { gateway, mqtt, kinesis } = config;
  const validator = new Validator({
    topic: mqtt.topic,
    timezone: gateway.timezone,
    sensors: config.readings.sensors,
  });
  const buffer = openBuffer(
    { ...config.buffer, gateway: gateway.id },
    { now, log: log.child({ part: "buffer" }) },
  );
  try {
    const collector = buildCollector(config, new Pipeline(validator, buffer, now), log);
    const shipper = createShipper(kinesis, buffer, { log: log.child({ part: "ship" }), now, stateLine });
    const health = new HealthSampler({
      folder: dirname(config.buffer.path),
      board: { certificates: certificatesOf(config) },
    });
    return { buffer, validator, collector, shipper, health };
  } catch (error) {
    buffer.close().catch((why) => log.warn({ err: why }, "the buffer could not be closed"));
    throw error;
  }
}

/** The agent's own certificates, whose end is worth knowing beforehand. */
function certificatesOf({ mqtt, kinesis }: AgentConfig): { use: string; file: string }[] {
  const { credentials } = kinesis;
  const iot = credentials.kind === "iot" ? [{ use: "AWS IoT", file: credentials.certFile }] : [];
  const own = mqtt.tls?.certFile === undefined ? [] : [{ use: "MQTT", file: mqtt.tls.certFile }];
  return [...iot, ...own];
}

function buildCollector(config: AgentConfig, intake: Intake, log: Logger): Collector {
  const { mqtt, gateway } = config;
  // How long a client may be silent is no matter of the wall clock, which steps where there is no battery for it.
  const deps = { intake, log: log.child({ part: "collect" }), now: () => performance.now() };
  if (mqtt.listen !== undefined) {
    const { host, port, tls } = mqtt.listen;
    return new EmbeddedBroker({ ...mqtt, host, port, tls: tls ? brokerTls(config) : undefined }, deps);
  }
  if (mqtt.connect === undefined) {
    throw new Fault("config.no_source", "neither mqtt.listen nor mqtt.connect is configured", {
      hint: "set one of the two",
      exitCode: EXIT.config,
    });
  }
  const settings = {
    ...mqtt,
    url: mqtt.connect.url,
    clientId: mqtt.clientId ?? `windfarm-${gateway.id}`,
  };
  return createSubscriber(settings, intake, { log: deps.log });
}

function brokerTls({ mqtt: { tls } }: AgentConfig) {
  if (tls?.certFile === undefined || tls.keyFile === undefined) {
    throw new Fault(
      "config.no_certificate",
      "mqtt.listen is mqtts:, but mqtt.tls has no cert_file and key_file",
      {
        hint: "set both, or listen on mqtt://127.0.0.1:1883",
        exitCode: EXIT.config,
      },
    );
  }
  return { ...tls, certFile: tls.certFile, keyFile: tls.keyFile };
}
