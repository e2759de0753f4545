/** Passwords, hashed as `mosquitto_passwd` does: `$7$<iterations>$<salt>$<hash>`, PBKDF2 with SHA-512, base64. */

import { pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(pbkdf2);
const HASH_BYTES = 64;
const LEAST_HASH_BYTES = 16;
const SALT_BYTES = 12;
/** Iterations of a new hash; the default of mosquitto_passwd is 101, which is few. */
export const NEW_ITERATIONS = 20_000;
/** A second or so of a small processor. While one password is tried, no other is: more would keep everybody out. */
export const MAX_ITERATIONS = 1_000_000;
export const HASHED = /^\$7\$(\d{1,8})\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/;

/** A hash for the users file. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, NEW_ITERATIONS, HASH_BYTES, "sha512");
  return hashText(NEW_ITERATIONS, salt, hash);
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

/** How often PBKDF2 goes round for this hash: its cost. */
export function iterationsOf(hashed: string): number {
  return partsOf(hashed).rounds;
}

export async function verifyPassword(password: Uint8Array, hashed: string): Promise<boolean> {
  const { rounds, salt, expected } = partsOf(hashed);
  if (!isUsableHash(hashed)) return false;
  const found = await derive(password, salt, rounds, expected.length, "sha512");
  return timingSafeEqual(found, expected);
}

/** Takes as long as a hash of so many iterations. */
export async function spendIterations(password: Uint8Array, iterations: number): Promise<void> {
  if (iterations > 0) await derive(password, randomBytes(SALT_BYTES), iterations, HASH_BYTES, "sha512");
}

function partsOf(hashed: string): { rounds: number; salt: Buffer; expected: Buffer } {
  const [, iterations = "", salt = "", hash = ""] = HASHED.exec(hashed) ?? [];
  return {
    rounds: Number(iterations),
    salt: Buffer.from(salt, "base64"),
    expected: Buffer.from(hash, "base64"),
  };
}

function hashText(iterations: number, salt: Buffer, hash: Buffer): string {
  return `$7$${iterations}$${salt.toString("base64")}$${hash.toString("base64")}`;
}
