/** Refusals of a CONNECT, as they go over the wire. */

/** Return codes of MQTT 3.1.1, section 3.2.2.3. */
export const UNACCEPTABLE_VERSION = 1;
export const IDENTIFIER_REJECTED = 2;
export const SERVER_UNAVAILABLE = 3;
export const NOT_AUTHORIZED = 5;

/** What a client that speaks MQTT 5 is told as reason string. */
export const ONLY_MQTT_3 = "windfarm speaks MQTT 3.1.1 and not 5: set the client to protocol version 4";
const UNSUPPORTED_VERSION = 0x84;
const REASON_STRING = 0x1f;
const MQTT_5 = 5;
/** MQTT 3.1 and 3.1.1, also with the bit by which a broker says that it connects as a bridge. */
const SPOKEN: readonly number[] = [3, 4, 0x83, 0x84];
/** A protocol's name as it stands in a CONNECT, behind its length; the version follows. */
const NAMES = ["MQTT", "MQIsdp"].map((name) => Buffer.from(`\0${String.fromCharCode(name.length)}${name}`));

export function refusal(returnCode: number): Buffer {
  return Buffer.from([0x20, 2, 0, returnCode]);
}

/**
 * The answer to a CONNECT of a version we don't speak [MQTT-3.1.2-2], where aedes would hang up without one; undefined for a
 * version we do speak, and for what is no CONNECT. `body`: what follows its fixed header.
 */
export function refusalOfVersion(body: Buffer): Buffer | undefined {
  const name = NAMES.find((each) => body.subarray(0, each.length).equals(each));
  const version = name === undefined ? undefined : body[name.length];
  if (version === undefined || SPOKEN.includes(version)) return undefined;
  return version === MQTT_5 ? refusalOfMqtt5() : refusal(UNACCEPTABLE_VERSION);
}

/** MQTT 5, section 3.2: the code that lets a client try an older version, and why. */
function refusalOfMqtt5(): Buffer {
  const text = Buffer.from(ONLY_MQTT_3);
  const properties = Buffer.from([REASON_STRING, text.length >> 8, text.length & 0xff, ...text]);
  const body = Buffer.from([0, UNSUPPORTED_VERSION, properties.length, ...properties]);
  return Buffer.from([0x20, body.length, ...body]);
}
