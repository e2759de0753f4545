/**
 * What keeps the agent small in ordinary work; deploy/build.mjs has the flags. Collections forced by the clock bought nothing that could
 * be measured once the heap was made to grow slowly.
 */

import { writeToStream } from "mqtt-packet";

/** For this process, from now on. */
export function keepMemoryLow(): void {
  // With the first packet it would make a Buffer of every number to 65 535 for the packets it writes: 6 MB of 80 at three readings
  // a second, 8 after full load.
  writeToStream.cacheNumbers = false;
}
