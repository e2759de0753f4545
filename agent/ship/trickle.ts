/**
 * When few readings come, one by one, those that follow the first are leased together once the record begun is due: a lease
 * costs more than what it brings.
 */

/** A lease with fewer bytes of bodies is a trickle's. */
export const TRICKLE_BYTES = 4096;
/** As many new readings in the buffer are a trickle no more. */
export const TRICKLE_READINGS = 64;

export class Trickle {
  #leasedBytes = TRICKLE_BYTES;
  #buffered = 0;

  /** A lease gave `bytes` of bodies while the source had `buffered` readings. */
  leased(bytes: number, buffered: number): void {
    this.#leasedBytes = bytes;
    this.#buffered = buffered;
  }

  /** Whether the next lease may wait, with `buffered` readings now. */
  mayWait(buffered: number): boolean {
    return this.#leasedBytes < TRICKLE_BYTES && buffered - this.#buffered < TRICKLE_READINGS;
  }
}
