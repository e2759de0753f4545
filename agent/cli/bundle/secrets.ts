/** Nothing that opens anything leaves the gateway, wherever it may have got into a text. */

import { parseJson } from "../../common/json.ts";
import type { Environment } from "../../config/environment.ts";
import type { AgentConfig } from "../../config/schema.ts";
import { MASK } from "../../config/show.ts";

const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;
/** Hashes as mosquitto_passwd and `windfarm user` write them. */
const PASSWORD_HASH = /\$[67]\$[0-9]*\$?[A-Za-z0-9+/=$]{20,}/g;
/** `user:password@` in the address of a proxy or broker, up to the last `@`, for a password may hold one. */
const LOGIN_IN_URL = /(:\/\/)\S{1,1024}@/g;
/** The same in JSON, where a quote that is not escaped ends the text. */
const LOGIN_IN_JSON = /(:\/\/)(?:\\"|[^\s"]){1,1024}@/g;
/** May hold a login, as kinesis.proxy may not. */
const PROXIES = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
const AWS_KEY_ID = /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g;

/** The secrets of the configuration (undefined for a wrong one) and of the proxies that the environment names, in the clear. */
export function secretsIn(config: AgentConfig | undefined, environment: Environment): string[] {
  const found = [config?.mqtt.password, ...keysIn(config)];
  for (const name of PROXIES) found.push(...passwordsIn(environment[name] ?? ""));
  return found.filter((secret): secret is string => secret !== undefined && secret.length > 3);
}

function keysIn(config: AgentConfig | undefined): (string | undefined)[] {
  const credentials = config?.kinesis.credentials;
  if (credentials?.kind !== "static") return [];
  return [credentials.accessKeyId, credentials.secretAccessKey, credentials.sessionToken];
}

/** As it is written, as a URL has it, and as the proxy gets it. */
function passwordsIn(proxy: string): string[] {
  const [, login = ""] = /^(?:\w+:\/\/)?(.*)@/.exec(proxy) ?? [];
  const colon = login.indexOf(":");
  if (colon < 0) return [];
  const written = login.slice(colon + 1);
  const url = proxy.includes("://") ? proxy : `http://${proxy}`;
  if (!URL.canParse(url)) return [written];
  const { password } = new URL(url);
  try {
    return [written, password, decodeURIComponent(password)];
  } catch {
    return [written, password];
  }
}

export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets)
    clean = clean.replaceAll(secret, MASK).replaceAll(JSON.stringify(secret).slice(1, -1), MASK);
  return clean
    .replace(PRIVATE_KEY, MASK)
    .replace(PASSWORD_HASH, MASK)
    .replace(AWS_KEY_ID, MASK)
    .split("\n")
    .map(withoutLogins)
    .join("\n");
}

/** The journal has JSON behind its own words. */
function withoutLogins(line: string): string {
  const isJson = parseJson(line.slice(Math.max(0, line.indexOf("{")))) !== undefined;
  return line.replace(isJson ? LOGIN_IN_JSON : LOGIN_IN_URL, `$1${MASK}@`);
}
