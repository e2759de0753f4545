/** What a configuration means, in words: nothing is wrong with it, and yet it may not be what was meant. */

import { meet } from "../collect/filters.ts";
import type { User } from "../collect/users-file.ts";
import { formatBytes } from "../common/format.ts";
import { isLoopback } from "../common/loopback.ts";
import type { AgentConfig } from "../config/schema.ts";

/** The way of a reading under this configuration, one sentence. */
export function summaryOf({ gateway, mqtt, buffer, kinesis }: AgentConfig): string {
  const source = mqtt.listen === undefined ? `from ${mqtt.connect?.url}` : `on ${mqtt.listen.url}`;
  const target = `${kinesis.stream} (${kinesis.endpoint ?? kinesis.region})`;
  return `${gateway.id} collects ${source}, keeps up to ${formatBytes(buffer.maxBytes)} in ${buffer.path}, ships to ${target}.`;
}

/** What someone who meant something else would want to know; `users` are those of mqtt.users_file. */
export function remarksOn({ mqtt, buffer, kinesis }: AgentConfig, users: readonly User[] = []): string[] {
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
  return [...remarks, ...remarksOnUsers(mqtt, users)];
}

function remarksOnUsers({ usersFile, topic, tls }: AgentConfig["mqtt"], users: readonly User[]): string[] {
  if (usersFile === undefined) return [];
  if (users.length === 0 && tls?.requireClientCertificate !== true) {
    return [`${usersFile} has no users: nobody can connect.`];
  }
  return users.flatMap(({ name, password, publish }) => {
    const remarks: string[] = [];
    if (publish.length > 0 && !publish.some((filter) => meet(filter, topic))) {
      remarks.push(
        `${usersFile}: nothing that ${name} may publish is on mqtt.topic, ${topic}: its readings end among the rejects.`,
      );
    }
    if (password === undefined && tls?.caFile === undefined) {
      remarks.push(
        `${usersFile}: ${name} has no password, and without mqtt.tls.ca_file no certificate counts: it can't connect.`,
      );
    }
    return remarks;
  });
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
}
