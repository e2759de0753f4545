/** A SUBSCRIBE packet (MQTT 3.1.1 section 3.8) as aedes is to read it. */

/**
 * Asks for QoS 0 in the packet's own bytes, whose body goes from `body` to `end`: aedes grants what it is asked for, and nothing is
 * forwarded at more [MQTT-3.8.4-6]. What is malformed stays so.
 */
export function askForQos0(bytes: Buffer, body: number, end: number): void {
  // The packet's id comes first; each filter has its length before it and its QoS behind it.
  for (let at = body + 2; at + 2 < end; ) {
    const qos = at + 2 + bytes.readUInt16BE(at);
    if (qos >= end) return;
    if (bytes[qos] === 1 || bytes[qos] === 2) bytes[qos] = 0;
    at = qos + 1;
  }
}
