/**
 * What aedes keeps and sends between clients: nothing. Sessions are clean, nothing is retained, readings go to watchers past
 * it (watchers.ts). Its own memory for these would be in the clients' hands, and its timers act on it: after a step of the
 * clock they take this broker for a dead one and publish the wills of clients that live.
 */

import { Readable } from "node:stream";

const nothing = async (): Promise<void> => {};
const none = (): Readable => Readable.from([]);

/** An aedes-persistence: https://github.com/moscajs/aedes-persistence, the calls made for clean sessions. */
export const keepsNothing = {
  setup: nothing,
  cleanSubscriptions: nothing,
  outgoingStream: none,
  createRetainedStreamCombi: none,
  putWill: nothing,
  delWill: nothing,
  streamWill: none,
};

/** An mqemitter: what is published reaches nobody. */
export const reachesNobody = {
  on: (_topic: string, _notify: unknown, done = () => {}): void => {
    setImmediate(done);
  },
  removeListener: (_topic: string, _notify: unknown, done = () => {}): void => {
    setImmediate(done);
  },
  emit: (_packet: unknown, done: () => void): void => {
    setImmediate(done);
  },
  close: (done: () => void): void => {
    setImmediate(done);
  },
};
