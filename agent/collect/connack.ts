/** Refusals of a CONNECT, as they go over the wire. */

/** Return codes of MQTT 3.1.1, section 3.2.2.3. */
export const IDENTIFIER_REJECTED = 2;
export const SERVER_UNAVAILABLE = 3;
export const NOT_AUTHORIZED = 5;

/** For a client that speaks MQTT 5; what it is told as reason string, and the log tells too. */
export const ONLY_MQTT_3 = "windfarm speaks MQTT 3.1.1 and not 5: set the client to protocol version 4";
const UNSUPPORTED_VERSION = 0x84;
const REASON_STRING = 0x1f;

export function refusal(returnCode: number): Buffer {
  return Buffer.from([0x20, 2, 0, returnCode]);
}

/** MQTT 5, section 3.2: the code that lets a client try an older version, and why. */
export function refusalOfMqtt5(): Buffer {
  const text = Buffer.from(ONLY_MQTT_3);
  const properties = Buffer.from([REASON_STRING, text.length >> 8, text.length & 0xff, ...text]);
  const body = Buffer.from([0, UNSUPPORTED_VERSION, properties.length, ...properties]);
  return Buffer.from([0x20, body.length, ...body]);
}
