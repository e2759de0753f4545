/** Types of MQTT control packets: the upper half of their first byte (MQTT 3.1.1, section 2.2.1). */
export const CONNECT = 1;
export const CONNACK = 2;
export const PUBLISH = 3;
export const PUBACK = 4;
export const PUBREC = 5;
export const PUBREL = 6;
export const PUBCOMP = 7;
export const SUBSCRIBE = 8;
export const UNSUBSCRIBE = 10;
export const PINGREQ = 12;
export const DISCONNECT = 14;

export const WITH_FILTERS: readonly number[] = [SUBSCRIBE, UNSUBSCRIBE];

const PUBREL_HEADER = 0x62;
const PUBCOMP_HEADER = 0x70;
/**
 * First bytes of the packets that hold an id and nothing else, and of our answers to them. PUBREL, the second half of QoS 2, is
 * always answered [MQTT-4.3.3-2]. The others acknowledge publishes that we never send, because watchers get theirs at QoS 0;
 * but a PUBREC must not keep its client waiting [MQTT-4.3.3-1].
 */
export const ANSWERS: ReadonlyMap<number, number | undefined> = new Map([
  [PUBACK << 4, undefined],
  [PUBREC << 4, PUBREL_HEADER],
  [PUBREL_HEADER, PUBCOMP_HEADER],
  [PUBCOMP_HEADER, undefined],
]);
