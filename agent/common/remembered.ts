/** What was found for the names that come again and again: those of a gateway's own sensors. */

/** Names remembered, and their length: more than a gateway has, and no room for a client that invents one each time. */
export const MAX_REMEMBERED = 4096;
const MAX_NAME_LENGTH = 128;

export class Remembered<Found> {
  readonly #find: (name: string) => Found;
  readonly #known = new Map<string, Found>();

  /** `find` never gives undefined. */
  constructor(find: (name: string) => Found) {
    this.#find = find;
  }

  get(name: string): Found {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const found = this.#find(name);
    if (name.length > MAX_NAME_LENGTH) return found;
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(name, found);
    return found;
  }
}
