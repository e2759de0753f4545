/** Nothing that opens anything leaves the gateway, wherever it may have got into a text. */

import type { AgentConfig } from "../../config/schema.ts";
import { MASK } from "../../config/show.ts";

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;
/** Hashes as mosquitto_passwd and `windfarm user` write them. */
const PASSWORD_HASH = /\$[67]\$[0-9]*\$?[A-Za-z0-9+/=$]{20,}/g;
/** `user:password@` in the address of a proxy or broker, up to the last `@`: a password may hold one, and in JSON a quote. */
const LOGIN_IN_URL = /(:\/\/)(?:\\"|[^\s"]){1,1024}@/g;
const AWS_KEY_ID = /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g;

/** The configuration's own secrets, in the clear. */
export function secretsIn({ mqtt, kinesis: { credentials } }: AgentConfig): string[] {
  const keys =
    credentials.kind === "static"
      ? [credentials.accessKeyId, credentials.secretAccessKey, credentials.sessionToken]
      : [];
  return [mqtt.password, ...keys].filter(
    (secret): secret is string => secret !== undefined && secret.length > 3,
  );
}

export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, MASK);
  return clean
    .replace(PRIVATE_KEY, MASK)
    .replace(PASSWORD_HASH, MASK)
    .replace(LOGIN_IN_URL, `$1${MASK}@`)
    .replace(AWS_KEY_ID, MASK);
}
