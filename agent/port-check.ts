/** Looks at the MQTT port before anything is begun: where it can't be had, no file is made and no page is opened. */

import { once } from "node:events";
import { createServer } from "node:net";
import { OwnerLock } from "./buffer/lock.ts";
import { listen } from "./collect/listener.ts";
import type { AgentConfig } from "./config/schema.ts";

/** Throws the Fault that the embedded broker would end the start with. */
export async function requireMqttPort({ mqtt, buffer }: AgentConfig): Promise<void> {
  if (mqtt.listen === undefined || mqtt.listen.port === 0) return;
  const server = createServer((socket) => socket.destroy());
  try {
    await listen(server, mqtt.listen.host, mqtt.listen.port);
  } catch (error) {
    // A second agent on the same configuration meets the buffer's lock next, which says whose all this is.
    if (OwnerLock.isHeld(buffer.path)) return;
    throw error;
  }
  server.close();
  await once(server, "close");
}
