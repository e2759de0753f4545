/** Randomness that a seed fixes: the same seed gives the same sequence on every machine. */

const MIX = 0x9e3779b9;
const PER_UINT32 = 1 / 0x1_0000_0000;

/** xoshiro128** (Blackman and Vigna, 2018); its state comes from the seed and the names by splitmix32. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** `names` give streams of their own to whoever shares a seed, e.g. `new Random(42, "T01", "wind")`. */
  constructor(seed: number, ...names: readonly string[]) {
    const word = splitmix32(hash([String(seed), ...names].join("\0")));
    this.#a = word();
    this.#b = word();
    this.#c = word();
    this.#d = word();
  }

  /** Uniform in [0, 1). */
  next(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result * PER_UINT32;
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** Mean 0, standard deviation 1 (Box and Muller; the second value is not kept, so each call takes two). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }
}

/** FNV-1a over the UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

function splitmix32(start: number): () => number {
  let state = start;
  return () => {
    state = (state + MIX) | 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
}
