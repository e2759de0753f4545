/**
 * Tries names and passwords before anybody is let in, so that strangers can't take the processor or the thread pool,
 * which the disk's syncs and name look-ups need too:
 *
 * - One password is hashed at a time; the others wait, and the addresses take turns.
 * - A login whose connection is gone is not begun.
 * - A login that was right is remembered until its user changes: a farm that reconnects costs nothing, and gets in
 *   past any number of strangers that wait.
 * - Each takes as long as the slowest hash there is, whoever is named.
 *
 * How many wait is bounded by the connections that may be pending (broker.ts).
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { iterationsOf, spendIterations, verifyPassword } from "./passwords.ts";
import type { Users } from "./users.ts";
import type { User } from "./users-file.ts";

/** Longest password tried, bytes. */
export const MAX_PASSWORD_BYTES = 1024;

export interface Login {
  name: string | undefined;
  password: Uint8Array | undefined;
  /** Where it comes from. */
  address: string;
  /** Nobody waits for the answer any more. */
  abandoned(): boolean;
}

/** What costs time: passwords.ts. */
export interface PasswordWork {
  verify: typeof verifyPassword;
  spend: typeof spendIterations;
}

export class Logins {
  readonly #users: Users;
  readonly #work: PasswordWork;
  readonly #key = randomBytes(32);
  /** What the last right login of each user looked like, under a key of this process. */
  readonly #remembered = new Map<string, { user: User; digest: Buffer }>();
  /** Who waits for a turn, by address; the first address is next. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #busy = false;

  constructor(users: Users, work: PasswordWork = { verify: verifyPassword, spend: spendIterations }) {
    this.#users = users;
    this.#work = work;
  }

  /** The user who logs in, or undefined. */
  async check({ name, password, address, abandoned }: Login): Promise<User | undefined> {
    if (name === undefined || password === undefined || password.length > MAX_PASSWORD_BYTES)
      return undefined;
    const digest = this.#digestOf(name, password);
    const known = this.#remembered.get(name);
    if (known !== undefined && known.user === this.#users.get(name) && timingSafeEqual(known.digest, digest))
      return known.user;
    // The packet it came in is larger.
    const own = Uint8Array.from(password);
    await this.#turnOf(address);
    try {
      return abandoned() ? undefined : await this.#try(name, own, digest);
    } finally {
      this.#next();
    }
  }

  /** Forgets the logins of users that changed or are gone. */
  forget(): void {
    for (const [name, { user }] of this.#remembered)
      if (this.#users.get(name) !== user) this.#remembered.delete(name);
  }

  async #try(name: string, password: Uint8Array, digest: Buffer): Promise<User | undefined> {
    const user = this.#users.get(name);
    const hashed = user?.password;
    const whole = this.#users.slowestIterations;
    const right = hashed !== undefined && (await this.#work.verify(password, hashed));
    await this.#work.spend(password, whole - (hashed === undefined ? 0 : iterationsOf(hashed)));
    // The users may have changed meanwhile.
    if (user === undefined || !right || this.#users.get(name) !== user) return undefined;
    this.#remembered.set(name, { user, digest });
    return user;
  }

  #digestOf(name: string, password: Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(`${name.length} ${name}`).update(password).digest();
  }

  /** Resolves when it is this address' turn. */
  async #turnOf(address: string): Promise<void> {
    if (!this.#busy) {
      this.#busy = true;
      return;
    }
    await new Promise<void>((resolve) => {
      const queue = this.#waiting.get(address);
      if (queue === undefined) this.#waiting.set(address, [resolve]);
      else queue.push(resolve);
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#busy = false;
      return;
    }
    const [address, queue] = first;
    const begin = queue.shift();
    // To the end, behind the other addresses.
    this.#waiting.delete(address);
    if (queue.length > 0) this.#waiting.set(address, queue);
    begin?.();
  }
}
