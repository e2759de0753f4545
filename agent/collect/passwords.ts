/** Passwords, hashed as `mosquitto_passwd` does: `$7$<iterations>$<salt>$<hash>`, PBKDF2 with SHA-512, base64. */

import { pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);
const HASH_BYTES = 64;
const LEAST_HASH_BYTES = 16;
const SALT_BYTES = 12;
/** Iterations of a new hash; the default of mosquitto_passwd is 101, which is few. */
const NEW_ITERATIONS = 20_000;
const MAX_ITERATIONS = 10_000_000;
export const HASHED = /^\$7\$(\d{1,8})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/;

/** A hash for the users file. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, NEW_ITERATIONS, HASH_BYTES, "sha512");
  return `$7$${NEW_ITERATIONS}$${salt.toString("base64")}$${hash.toString("base64")}`;
}

/** Whether a password can be held against a hash; one that nobody's password fits would only look like protection. */
export function isUsableHash(hashed: string): boolean {
  const { rounds, expected } = partsOf(hashed);
  return (
    expected.length >= LEAST_HASH_BYTES &&
    expected.length <= HASH_BYTES &&
    rounds >= 1 &&
    rounds <= MAX_ITERATIONS
  );
}

export async function verifyPassword(password: Uint8Array, hashed: string): Promise<boolean> {
  const { rounds, salt, expected } = partsOf(hashed);
  if (!isUsableHash(hashed)) return false;
  const found = await derive(password, salt, rounds, expected.length, "sha512");
  return timingSafeEqual(found, expected);
}

function partsOf(hashed: string): { rounds: number; salt: Buffer; expected: Buffer } {
  const [, iterations = "", salt = "", hash = ""] = HASHED.exec(hashed) ?? [];
  return {
    rounds: Number(iterations),
    salt: Buffer.from(salt, "base64"),
    expected: Buffer.from(hash, "base64"),
  };
}

/** A hash that nobody's password fits, and that takes as long as any to find out. */
export function decoyHash(): string {
  const [salt, hash] = [randomBytes(SALT_BYTES), randomBytes(HASH_BYTES)];
  return `$7$${NEW_ITERATIONS}$${salt.toString("base64")}$${hash.toString("base64")}`;
}
