/** Who the agent is to AWS. */

import type { Logger } from "pino";
import { isLoopback } from "../common/loopback.ts";
import { type Identity, IotCredentials } from "./iot.ts";
import type { Link } from "./link.ts";
import type { StreamSettings } from "./settings.ts";

export interface CredentialDeps {
  log: Logger;
  /** ms since 1970. */
  now: () => number;
  /** A clock that never steps, ms. */
  monotonicMs: () => number;
  env: Readonly<Record<string, string | undefined>>;
}

export interface Credentials {
  /** For the client; undefined: its own default chain. */
  identity: Identity | (() => Promise<Identity>) | undefined;
  /** Where they come from, for the operator. */
  described: string;
  /** How long the present ones still hold; undefined where nobody tells. */
  secondsLeft?: () => number | undefined;
}

/** Variables through which the default chain can be told who we are. */
const CHAIN_VARIABLES = [
  "AWS_ACCESS_KEY_ID",
  "AWS_PROFILE",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
];

export function createCredentials(settings: StreamSettings, link: Link, deps: CredentialDeps): Credentials {
  const { credentials, endpoint } = settings;
  switch (credentials.kind) {
    case "static": {
      const { accessKeyId, secretAccessKey, sessionToken } = credentials;
      const token = sessionToken === undefined ? {} : { sessionToken };
      return { identity: { accessKeyId, secretAccessKey, ...token }, described: `access key ${accessKeyId}` };
    }
    case "iot": {
      const iot = new IotCredentials(credentials, settings, { ...deps, agent: link.httpsAgent });
      const { thingName, roleAlias } = credentials;
      return {
        identity: () => iot.identity(),
        described: `thing ${thingName} as role alias ${roleAlias}`,
        secondsLeft: () => iot.secondsLeft,
      };
    }
    case "default": {
      // A cloud in a box takes anybody; asking the whole chain there would end in a search for an instance role.
      if (isLoopbackHttp(endpoint) && CHAIN_VARIABLES.every((name) => !deps.env[name])) {
        return {
          identity: { accessKeyId: "local", secretAccessKey: "local" },
          described: "dummy keys of a local endpoint",
        };
      }
      return { identity: undefined, described: "the default AWS chain" };
    }
  }
}

export function isLoopbackHttp(endpoint: string | undefined): boolean {
  if (endpoint === undefined || !URL.canParse(endpoint)) return false;
  const { protocol, hostname } = new URL(endpoint);
  return protocol === "http:" && isLoopback(hostname);
}
