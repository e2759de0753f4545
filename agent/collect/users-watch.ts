/** Reads the users file again when it changes, or when told. A file of no use changes nothing: the users of before stay. */

import { type StatsListener, unwatchFile, watchFile } from "node:fs";
import type { Logger } from "pino";
import { type Fault, messageOf } from "../errors.ts";
import { loadUsers, type Users } from "./users.ts";

/** Looked at so often: a name that is replaced or a link that leads elsewhere is seen too, which events would miss. */
export const LOOK_EVERY_MS = 2000;

export class UsersWatch {
  readonly #file: string;
  readonly #users: Users;
  readonly #log: Logger;
  readonly #changed: () => void;
  readonly #look: StatsListener = (now, before) => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size) this.reload();
  };

  constructor(file: string, users: Users, log: Logger, changed: () => void) {
    this.#file = file;
    this.#users = users;
    this.#log = log;
    this.#changed = changed;
  }

  start(): void {
    watchFile(this.#file, { interval: LOOK_EVERY_MS, persistent: false }, this.#look);
  }

  stop(): void {
    unwatchFile(this.#file, this.#look);
  }

  reload(): void {
    try {
      this.#users.replaceWith(loadUsers(this.#file));
    } catch (error) {
      this.#keep(error);
      return;
    }
    this.#changed();
    this.#log.info({ file: this.#file, users: this.#users.count }, "the users file was read again");
  }

  #keep(error: unknown): void {
    const { code, hint } = error as Partial<Fault>;
    this.#log.warn(
      { code, hint, file: this.#file },
      `the users stay as they were before the users file changed: ${messageOf(error)}`,
    );
  }
}
