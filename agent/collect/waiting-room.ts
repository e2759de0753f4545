/**
 * Those who wait to be let in, at most so many. One more, and the oldest goes of the address with the most of them: an
 * address that sends hundreds crowds out itself, and not the sensor that comes from elsewhere.
 */
export class WaitingRoom<Guest> {
  readonly #places: number;
  readonly #byAddress = new Map<string, Set<Guest>>();
  #size = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Gives the guest who must go, and has left the room, if there was no place. */
  enter(address: string, guest: Guest): Guest | undefined {
    const guests = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, guests.add(guest));
    this.#size++;
    return this.#size > this.#places ? this.#evict() : undefined;
  }

  /** True if the guest was there. */
  leave(address: string, guest: Guest): boolean {
    const guests = this.#byAddress.get(address);
    if (guests?.delete(guest) !== true) return false;
    if (guests.size === 0) this.#byAddress.delete(address);
    this.#size--;
    return true;
  }

  #evict(): Guest | undefined {
    let [crowd] = this.#byAddress;
    for (const one of this.#byAddress) if (one[1].size > (crowd?.[1].size ?? 0)) crowd = one;
    if (crowd === undefined) return undefined;
    const [address, guests] = crowd;
    const [oldest] = guests;
    if (oldest !== undefined) this.leave(address, oldest);
    return oldest;
  }
}
