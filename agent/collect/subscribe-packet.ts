/** SUBSCRIBE and UNSUBSCRIBE packets (MQTT 3.1.1, sections 3.8 and 3.10) as aedes is to read them. */

import { Fields } from "./fields.ts";
import { isFilter } from "./filters.ts";
import { SUBSCRIBE } from "./packet-types.ts";

/**
 * False if the body from `body` to `end` is malformed: it has an id, which is not 0 [MQTT-2.3.1-1], and at least one filter
 * [MQTT-3.8.3-3, MQTT-3.10.3-2]. Each filter of a SUBSCRIBE is changed, in the packet's own bytes, to ask for QoS 0: aedes
 * grants what it is asked for, and nothing is forwarded at more [MQTT-3.8.4-6].
 */
export function readFilters(kind: number, bytes: Buffer, body: number, end: number): boolean {
  const fields = new Fields(bytes, body, end);
  if (fields.number(2) === 0) return false;
  do {
    if (!isFilter(fields.text())) return false;
    if (kind !== SUBSCRIBE) continue;
    if (fields.number(1) > 2) return false;
    bytes[fields.at - 1] = 0;
  } while (!fields.done);
  return fields.intact;
}
