/**
 * The configuration: one definition that carries types, defaults and documentation.
 *
 * The file's keys are in snake_case and its values texts with their unit; what the program gets is `AgentConfig`,
 * in camelCase, durations as `…Ms` and sizes as `…Bytes`. A setting's prose is its `describe`, its default the
 * `prefault`, written as one would write it in the file. Rules between settings are in `rules.ts`.
 */

import * as z from "zod";
import { checked, choice, listen, section } from "./fields.ts";
import { bufferSection } from "./sections/buffer.ts";
import { gatewaySection } from "./sections/gateway.ts";
import { kinesisSection } from "./sections/kinesis.ts";
import { mqttSection } from "./sections/mqtt.ts";
import { readingsSection } from "./sections/readings.ts";
import { Unfit } from "./unfit.ts";

/** The version of the file's form that this program reads. */
export const CONFIG_VERSION = 1;

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/** A new schema; parsing it takes the tree of texts that `yaml-source.ts` makes of a file. */
export function configSchema() {
  return z.strictObject({
    version: version().describe("Version of this file's format."),
    gateway: gatewaySection(),
    mqtt: mqttSection(),
    readings: readingsSection().prefault({}),
    buffer: bufferSection(),
    kinesis: kinesisSection(),
    status: section({
      listen: listen(["http:"])
        .prefault("http://127.0.0.1:8080")
        .describe(
          "Address of the status page, its API and the metrics. It has no credentials, so it stays on loopback.",
        ),
    })
      .transform(({ listen: { host, port, url } }) => ({ host, port, url }))
      .prefault({})
      .describe("The status page."),
    log: section({
      level: choice(LOG_LEVELS).prefault("info").describe("The lowest level that is logged."),
    })
      .prefault({})
      .describe("The log, JSON lines on standard output, prettier on a terminal."),
  });
}

/** What every part of the agent is configured from. */
export type AgentConfig = z.output<ReturnType<typeof configSchema>>;

function version() {
  return checked((text): typeof CONFIG_VERSION | Unfit => {
    return text === String(CONFIG_VERSION) ? CONFIG_VERSION : new Unfit(`${text} is not ${CONFIG_VERSION}`);
  }, "integer");
}
