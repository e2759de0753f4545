/** PINGREQs not answered yet: their answers leave in one piece for all that one chunk held. */

export const PINGRESP = Buffer.from([0xd0, 0]);
const MAX_ANSWERS = 512;
const ANSWERS = Buffer.alloc(MAX_ANSWERS * PINGRESP.length, PINGRESP);
const PINGREQ_HEADER = 0xc0;

export class Pings {
  #bytes = 0;

  /** False for a packet that is no PINGREQ. */
  take(header: number, bodyBytes: number): boolean {
    if (header !== PINGREQ_HEADER || bodyBytes !== 0) return false;
    this.#bytes += PINGRESP.length;
    return true;
  }

  /** No more may wait. */
  get full(): boolean {
    return this.#bytes === ANSWERS.length;
  }

  /** The answers owed, which are then none; undefined where none are. */
  answers(): Buffer | undefined {
    if (this.#bytes === 0) return undefined;
    const answers = ANSWERS.subarray(0, this.#bytes);
    this.#bytes = 0;
    return answers;
  }
}
