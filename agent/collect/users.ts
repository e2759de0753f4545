/** The users of the embedded broker: who may connect, and to which topics each may publish and subscribe. */

import { readFileSync } from "node:fs";
import { EXIT, Fault, messageOf } from "../errors.ts";
import { covers } from "./filters.ts";
import { decoyHash, verifyPassword } from "./passwords.ts";
import { readUsersText } from "./users-file.ts";

export interface User {
  name: string;
  password?: string | undefined;
  publish: readonly string[];
  subscribe: readonly string[];
}

export class Users {
  readonly #byName: ReadonlyMap<string, User>;
  /** Hashed for unknown names too, so that the time taken does not tell who exists. */
  readonly #decoy = decoyHash();

  constructor(users: readonly User[]) {
    this.#byName = new Map(users.map((user) => [user.name, user]));
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  async authenticate(name: string | undefined, password: Uint8Array | undefined): Promise<boolean> {
    const user = name === undefined ? undefined : this.#byName.get(name);
    const right = await verifyPassword(password ?? Buffer.alloc(0), user?.password ?? this.#decoy);
    return right && user?.password !== undefined && password !== undefined;
  }

  mayPublish(name: string, topic: string): boolean {
    return this.#byName.get(name)?.publish.some((filter) => covers(filter, topic)) ?? false;
  }

  /** A subscription is allowed when a filter of the user's covers all it could match. */
  maySubscribe(name: string, filter: string): boolean {
    return this.#byName.get(name)?.subscribe.some((allowed) => covers(allowed, filter)) ?? false;
  }
}

/** Reads a users file; throws Fault `mqtt.users_file` with the file and all that is wrong in it. */
export function loadUsers(file: string): Users {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    throw new Fault("mqtt.users_file", `can't read the users file ${file}: ${messageOf(error)}`, {
      hint: "the file must exist and be readable by the user the agent runs as",
      exitCode: EXIT.config,
      cause: error,
    });
  }
  const { users, problems } = readUsersText(content);
  if (problems.length === 0) return new Users(users);
  const told = problems.map(({ line, column, message, hint }) => {
    return `${file}:${line}:${column}: ${message}${hint === undefined ? "" : ` — ${hint}`}`;
  });
  throw new Fault("mqtt.users_file", told.join("\n"), {
    hint: "docs/users.md explains the users file",
    exitCode: EXIT.config,
  });
}
