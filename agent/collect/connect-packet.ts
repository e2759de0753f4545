/** The form of a CONNECT packet (MQTT 3.1.1, section 3.1). */

import { Fields } from "./fields.ts";

const WILL = 0x04;
const WILL_QOS = 0x18;
const PASSWORD = 0x40;
const USER_NAME = 0x80;

/** True if a packet with this body may be a CONNECT: aedes looks at the rest, and not at what is looked at here. */
export function isConnect(bytes: Buffer, body: number, end: number): boolean {
  const fields = new Fields(bytes, body, end);
  fields.text(); // the protocol's name
  fields.number(1); // its version
  const flags = fields.number(1);
  fields.number(2); // keep-alive
  fields.data(); // client id: an unfit one has a return code of its own
  if (flags & WILL) {
    fields.text(); // topic
    fields.data(); // payload
  }
  if (flags & USER_NAME) fields.text();
  if (flags & PASSWORD) fields.data();
  // [MQTT-3.1.2-14], [MQTT-3.1.2-22]
  return fields.intact && (flags & WILL_QOS) !== WILL_QOS && (flags & (USER_NAME | PASSWORD)) !== PASSWORD;
}
