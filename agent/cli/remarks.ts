/** What a configuration means, in words: nothing is wrong with it, and yet it may not be what was meant. */

import { isLoopback } from "../config/addresses.ts";
import type { AgentConfig } from "../config/schema.ts";
import { formatBytes } from "../observe/format.ts";

/** The way of a reading under this configuration, one sentence. */
export function summaryOf({ gateway, mqtt, buffer, kinesis }: AgentConfig): string {
  const source = mqtt.listen === undefined ? `from ${mqtt.connect?.url}` : `on ${mqtt.listen.url}`;
  const target = `${kinesis.stream} (${kinesis.endpoint ?? kinesis.region})`;
  return `${gateway.id} collects ${source}, keeps up to ${formatBytes(buffer.maxBytes)} in ${buffer.path}, ships to ${target}.`;
}

/** What someone who meant something else would want to know. */
export function remarksOn({ mqtt, buffer, kinesis }: AgentConfig): string[] {
  const remarks: string[] = [];
  if (mqtt.listen !== undefined && isLoopback(mqtt.listen.host)) {
    remarks.push("mqtt.listen is on loopback: only sensors on this machine reach it.");
  } else if (mqtt.listen !== undefined && !mqtt.listen.tls) {
    remarks.push(
      "mqtt.listen is mqtt:// and not mqtts://: passwords and readings cross the network in clear.",
    );
  }
  if (
    mqtt.connect?.url.startsWith("mqtt:") &&
    mqtt.password !== undefined &&
    !isLoopback(hostOf(mqtt.connect.url))
  ) {
    remarks.push("mqtt.connect is mqtt:// and not mqtts://: the password crosses the network in clear.");
  }
  if (kinesis.endpoint !== undefined) {
    remarks.push(`kinesis.endpoint is set: readings go to ${kinesis.endpoint} and not to AWS.`);
  } else if (kinesis.credentials.kind === "default") {
    remarks.push("kinesis.credentials names none: the default AWS chain must find some.");
  }
  if (buffer.onFull === "drop_oldest") {
    remarks.push(
      "buffer.on_full is drop_oldest: when the buffer is full, readings that were acknowledged are lost.",
    );
  }
  return remarks;
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
}
