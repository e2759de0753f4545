/** How far a stream was read: per shard the last sequence number, compared as the numbers they are. */
export class Positions {
  readonly #last = new Map<string, bigint>();

  constructor(entries: Iterable<readonly [shard: string, sequence: string]> = []) {
    for (const [shard, sequence] of entries) this.advance(shard, sequence);
  }

  /** Moves a shard's position forward; never back. */
  advance(shard: string, sequence: string): void {
    const number = BigInt(sequence);
    const before = this.#last.get(shard);
    if (before === undefined || number > before) this.#last.set(shard, number);
  }

  /** Moves every shard as far as `other` is. */
  advanceTo(other: Positions): void {
    for (const [shard, sequence] of other.entries()) this.advance(shard, sequence);
  }

  /** True where the record at `sequence` lies behind. */
  has(shard: string, sequence: string): boolean {
    const last = this.#last.get(shard);
    return last !== undefined && BigInt(sequence) <= last;
  }

  /** True where everything `other` has lies behind. */
  covers(other: Positions): boolean {
    return other.entries().every(([shard, sequence]) => this.has(shard, sequence));
  }

  entries(): [shard: string, sequence: string][] {
    return [...this.#last].map(([shard, number]) => [shard, String(number)]);
  }
}
