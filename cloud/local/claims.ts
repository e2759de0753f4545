/** The payloads behind the tokens that kinesis-local holds in their place. */

import { randomUUID } from "node:crypto";
import type { Journal, Place, StreamRecord } from "./journal.ts";

interface Claim {
  /** In memory until it is in the journal and the delivery has taken it. */
  data: Buffer | undefined;
  place: Place | undefined;
  taken: boolean;
}

export class Claims {
  readonly #journal: Journal;
  /** Differs from life to life, so that no payload can look like another life's token. */
  readonly #prefix = `windfarm-claim-${randomUUID()}-`;
  readonly #claims = new Map<string, Claim>();
  #number = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** A token for `data`, before Kinesis has said whether it takes it. */
  hold(data: Buffer): string {
    const token = `${this.#prefix}${++this.#number}`;
    this.#claims.set(token, { data, place: undefined, taken: false });
    return token;
  }

  /** Forgets what Kinesis did not take. */
  release(token: string): void {
    this.#claims.delete(token);
  }

  /** Puts what Kinesis took on disk. */
  async journal(accepted: readonly { token: string; record: StreamRecord }[]): Promise<void> {
    const places = await this.#journal.append(accepted.map(({ record }) => record));
    for (const [index, { token }] of accepted.entries()) {
      const claim = this.#claims.get(token);
      if (claim === undefined) continue;
      claim.place = places[index];
      if (claim.taken) claim.data = undefined;
    }
  }

  /** The payload behind what kinesis-local holds; `held` itself where it is no token. */
  async payload(held: Buffer): Promise<Buffer> {
    const claim = this.#find(held);
    if (claim === undefined) return held;
    if (claim.data !== undefined) return claim.data;
    return (claim.place && (await this.#journal.read(claim.place))) ?? held;
  }

  /** Notes that the delivery has the payload. */
  taken(held: Buffer): void {
    const claim = this.#find(held);
    if (claim === undefined) return;
    claim.taken = true;
    if (claim.place !== undefined) claim.data = undefined;
  }

  #find(held: Buffer): Claim | undefined {
    if (held.length > this.#prefix.length + 16) return undefined;
    return this.#claims.get(held.toString("latin1"));
  }
}
