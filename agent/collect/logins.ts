/**
 * Tries names and passwords before anybody is let in, so that strangers can't take the processor or the thread pool,
 * which the disk's syncs and name look-ups need too:
 *
 * - One password is hashed at a time; the others wait, and the addresses take turns.
 * - A login whose connection closes leaves the queue at once, and with it its CONNECT leaves memory.
 * - A login that was right is remembered until its user changes: a farm that reconnects costs nothing, and gets in
 *   past any number of strangers that wait.
 * - Each takes as long as the slowest hash there is, whoever is named.
 *
 * How many wait is bounded by the connections that may be pending (broker.ts).
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Duplex } from "node:stream";
import { iterationsOf, spendIterations, verifyPassword } from "./passwords.ts";
import type { User, Users } from "./users.ts";

/** Longest password tried, bytes. */
export const MAX_PASSWORD_BYTES = 1024;

export interface Login {
  name: string | undefined;
  password: Uint8Array | undefined;
  /** Where it comes from. */
  address: string;
  /** Once it is closed nobody waits for the answer. */
  connection: Pick<Duplex, "destroyed" | "once" | "off">;
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
  readonly #waiting = new Map<string, Set<() => void>>();
  #busy = false;

  constructor(users: Users, work: PasswordWork = { verify: verifyPassword, spend: spendIterations }) {
    this.#users = users;
    this.#work = work;
  }

  /** The user who logs in; undefined where the login is wrong or its connection is gone. */
  async check({ name, password, address, connection }: Login): Promise<User | undefined> {
    if (name === undefined || password === undefined || password.length > MAX_PASSWORD_BYTES)
      return undefined;
    const digest = this.#digestOf(name, password);
    const known = this.#remembered.get(name);
    if (known !== undefined && known.user === this.#users.get(name) && timingSafeEqual(known.digest, digest))
      return known.user;
    if (!(await this.#turnOf(address, connection))) return undefined;
    try {
      return connection.destroyed ? undefined : await this.#try(name, password, digest);
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

  /** Resolves with true when it is this address' turn, with false when the connection is gone before. */
  async #turnOf(address: string, connection: Login["connection"]): Promise<boolean> {
    if (connection.destroyed) return false;
    if (!this.#busy) {
      this.#busy = true;
      return true;
    }
    const queue = this.#waiting.get(address) ?? new Set();
    this.#waiting.set(address, queue);
    return await new Promise<boolean>((resolve) => {
      const begin = (): void => {
        connection.off("close", leave);
        resolve(true);
      };
      const leave = (): void => {
        queue.delete(begin);
        if (queue.size === 0) this.#waiting.delete(address);
        resolve(false);
      };
      queue.add(begin);
      connection.once("close", leave);
    });
  }

  #next(): void {
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#busy = false;
      return;
    }
    const [address, queue] = first;
    const [begin] = queue;
    // To the end, behind the other addresses.
    this.#waiting.delete(address);
    if (begin !== undefined) queue.delete(begin);
    if (queue.size > 0) this.#waiting.set(address, queue);
    begin?.();
  }
}
