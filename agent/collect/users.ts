/** The users of the embedded broker: who may connect, and to which topics each may publish and subscribe. */

import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { EXIT, Fault, messageOf } from "../errors.ts";
import { covers, type Levels, levelsOf } from "./filters.ts";
import { iterationsOf, NEW_ITERATIONS } from "./passwords.ts";
import { readUsersText, type User as UserEntry } from "./users-file.ts";

/** As the file has it, the topic filters taken apart: they are compared at each publish. */
export interface User extends Omit<UserEntry, "publish" | "subscribe"> {
  readonly publish: readonly Levels[];
  readonly subscribe: readonly Levels[];
}

export class Users {
  #byName: ReadonlyMap<string, User> = new Map();
  #slowestIterations = NEW_ITERATIONS;

  constructor(users: readonly UserEntry[]) {
    this.replaceWith(users);
  }

  get count(): number {
    return this.#byName.size;
  }

  /** Iterations of the slowest hash there is: every login takes as long as that one, or the time would tell who exists. */
  get slowestIterations(): number {
    return this.#slowestIterations;
  }

  /** The same object as before, as long as nothing about the user has changed. */
  get(name: string): User | undefined {
    return this.#byName.get(name);
  }

  replaceWith(users: readonly UserEntry[]): void {
    const before = this.#byName;
    const keptOr = (entry: UserEntry) => {
      const known = before.get(entry.name);
      const user = {
        ...entry,
        publish: entry.publish.map(levelsOf),
        subscribe: entry.subscribe.map(levelsOf),
      };
      return known !== undefined && isDeepStrictEqual(known, user) ? known : user;
    };
    this.#byName = new Map(users.map((user) => [user.name, keptOr(user)]));
    const hashes = users.flatMap(({ password }) => (password === undefined ? [] : [iterationsOf(password)]));
    this.#slowestIterations = hashes.length === 0 ? NEW_ITERATIONS : Math.max(...hashes);
  }
}

export function mayPublish(user: User, topic: string): boolean {
  const levels = levelsOf(topic);
  return user.publish.some((allowed) => covers(allowed, levels));
}

/** A subscription is allowed when a filter of the user's covers all it could match. */
export function maySubscribe(user: User, filter: string): boolean {
  const levels = levelsOf(filter);
  return user.subscribe.some((allowed) => covers(allowed, levels));
}

/** Reads a users file; throws Fault `mqtt.users_file` with the file and all that is wrong in it. */
export function loadUsers(file: string): UserEntry[] {
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
  if (problems.length === 0) return users;
  const told = problems.map(({ line, column, message, hint }) => {
    return `${file}:${line}:${column}: ${message}${hint === undefined ? "" : ` — ${hint}`}`;
  });
  throw new Fault("mqtt.users_file", told.join("\n"), {
    hint: "docs/users.md explains the users file",
    exitCode: EXIT.config,
  });
}
