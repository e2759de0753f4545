/**
 * The users file of the embedded broker: who may connect, and to which topics each may publish and subscribe.
 * Passwords are hashed as `mosquitto_passwd` does: `$7$<iterations>$<salt>$<hash>`, PBKDF2 with SHA-512, base64.
 */

import { pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { EXIT, Fault, messageOf } from "../errors.ts";

const derive = promisify(pbkdf2);
const HASH_BYTES = 64;
const SALT_BYTES = 12;
/** Iterations of a new hash; the default of mosquitto_passwd is 101, which is few. */
const NEW_ITERATIONS = 20_000;
const MAX_ITERATIONS = 10_000_000;
const HASHED = /^\$7\$(\d{1,8})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/;

const usersSchema = z.strictObject({
  users: z.array(
    z.strictObject({
      name: z.string().min(1),
      /** Absent: only by client certificate, whose common name is the user's name. */
      password: z.string().regex(HASHED, "must be a hash made by `mosquitto_passwd`").optional(),
      publish: z.array(z.string()).default([]),
      subscribe: z.array(z.string()).default([]),
    }),
  ),
});

export interface User {
  name: string;
  password?: string | undefined;
  publish: readonly string[];
  subscribe: readonly string[];
}

export class Users {
  readonly #byName: ReadonlyMap<string, User>;
  /** Hashed for unknown names too, so that the time taken does not tell who exists. */
  readonly #decoy =
    `$7$${NEW_ITERATIONS}$${randomBytes(SALT_BYTES).toString("base64")}$${randomBytes(HASH_BYTES).toString("base64")}`;

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

/** Reads a users file; throws Fault `mqtt.users_file` with the file and what is wrong in it. */
export function loadUsers(file: string): Users {
  const fault = (problem: string, cause?: unknown) =>
    new Fault("mqtt.users_file", `${file}: ${problem}`, {
      hint: "see mqtt.users_file in agent.config.yaml for its form",
      exitCode: EXIT.config,
      cause,
    });
  let content: unknown;
  try {
    content = parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw fault(`can't read the users file: ${messageOf(error)}`, error);
  }
  const parsed = usersSchema.safeParse(content);
  if (parsed.success) return new Users(parsed.data.users);
  const [issue] = parsed.error.issues;
  throw fault(`${issue?.path.join(".") || "users"}: ${issue?.message ?? "not a list of users"}`);
}

/** A hash for the users file. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, NEW_ITERATIONS, HASH_BYTES, "sha512");
  return `$7$${NEW_ITERATIONS}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

async function verifyPassword(password: Uint8Array, hashed: string): Promise<boolean> {
  const [, iterations = "", salt = "", hash = ""] = HASHED.exec(hashed) ?? [];
  const expected = Buffer.from(hash, "base64");
  const rounds = Number(iterations);
  if (expected.length === 0 || rounds < 1 || rounds > MAX_ITERATIONS) return false;
  const found = await derive(password, Buffer.from(salt, "base64"), rounds, expected.length, "sha512");
  return timingSafeEqual(found, expected);
}

/** True where every topic that `filter` could match is matched by `allowed`; a plain topic is a filter too. */
export function covers(allowed: string, filter: string): boolean {
  const wide = allowed.split("/");
  const narrow = filter.split("/");
  if (filter.startsWith("$") !== allowed.startsWith("$")) return false;
  for (const [index, level] of wide.entries()) {
    if (level === "#") return true;
    const other = narrow[index];
    if (other === undefined || other === "#") return false;
    if (level !== "+" && level !== other) return false;
  }
  return wide.length === narrow.length;
}
