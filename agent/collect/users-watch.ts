/** Reads the users file, and again when it changes, or when told. A file of no use changes nothing: the users of before stay. */

import type { Logger } from "pino";
import { type Fault, messageOf } from "../errors.ts";
import { stampOf } from "./file-stamp.ts";
import { loadUsers, Users } from "./users.ts";

/** Looked at so often: a name that is replaced or a link that leads elsewhere is seen too, which events would miss. */
export const LOOK_EVERY_MS = 2000;

export class UsersWatch {
  readonly users: Users;
  readonly #file: string;
  readonly #log: Logger;
  /** Of the file as it was last read; taken before, so that a write meanwhile is seen. */
  #stamp: string;
  #changed = (): void => {};
  #looks: NodeJS.Timeout | undefined;

  /** Throws Fault `mqtt.users_file` where the file is of no use. */
  constructor(file: string, log: Logger) {
    this.#file = file;
    this.#log = log;
    this.#stamp = stampOf(file);
    this.users = new Users(loadUsers(file));
  }

  start(changed: () => void): void {
    this.#changed = changed;
    this.#looks = setInterval(() => {
      if (stampOf(this.#file) !== this.#stamp) this.reload();
    }, LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#looks);
  }

  reload(): void {
    this.#stamp = stampOf(this.#file);
    try {
      this.users.replaceWith(loadUsers(this.#file));
    } catch (error) {
      this.#keep(error);
      return;
    }
    this.#changed();
    this.#log.info({ file: this.#file, users: this.users.count }, "the users file was read again");
  }

  #keep(error: unknown): void {
    const { code, hint } = error as Partial<Fault>;
    this.#log.warn(
      { code, hint, file: this.#file },
      `the users stay as they were before the users file changed: ${messageOf(error)}`,
    );
  }
}
