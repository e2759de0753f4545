/**
 * Rules between settings. They look at the file's own texts and not at what the schema made of them, so that they
 * speak even where other settings of the same section are wrong; what the schema refuses they leave to it.
 */

import { isLoopback } from "../common/loopback.ts";
import { SENSOR_TYPES } from "../contract/sensors.ts";
import { type ListenAddress, readListen } from "./addresses.ts";
import { aliasRule } from "./alias-rule.ts";
import type { Complaint } from "./problems.ts";
import { MQTT_SCHEMES } from "./sections/mqtt.ts";
import { type Path, pathText, type Tree, textAt, treeAt } from "./tree.ts";
import { Unfit } from "./unfit.ts";

type Rule = (tree: Tree) => Complaint[];

/** Every complaint of every rule. */
export function checkRules(tree: Tree): Complaint[] {
  return RULES.flatMap((rule) => rule(tree));
}

/** Readings come from one place. */
const oneSource: Rule = (tree) => {
  if (typeof treeAt(tree, ["mqtt"]) !== "object") return [];
  const [listens, connects] = [has(tree, LISTEN), has(tree, CONNECT)];
  if (listens && connects) {
    const hint = "keep listen for the embedded broker, or connect for an existing one";
    return [{ path: CONNECT, at: "key", message: "mqtt has both listen and connect", hint }];
  }
  if (listens || connects) return [];
  const hint = "add listen: mqtt://127.0.0.1:1883 for the embedded broker, or connect for an existing one";
  return [{ path: ["mqtt"], at: "key", message: "mqtt has neither listen nor connect", hint }];
};

/** Nobody gets in: an address others can reach asks for credentials first. */
const credentialsBeforeOthers: Rule = (tree) => {
  const address = listenAt(tree, LISTEN, MQTT_SCHEMES);
  if (address === undefined || isLoopback(address.host)) return [];
  if (has(tree, ["mqtt", "users_file"]) || asksForCertificates(tree)) return [];
  const message = `mqtt.listen: other machines can reach ${address.url}, and nothing asks them for credentials`;
  const hint =
    "set mqtt.users_file, or use mqtts:// with mqtt.tls.require_client_certificate; or listen on mqtt://127.0.0.1:1883";
  return [{ path: LISTEN, message, hint }];
};

/** The page has no credentials at all. */
const pageOnLoopback: Rule = (tree) => {
  const address = listenAt(tree, STATUS_LISTEN, ["http:"]);
  if (address === undefined || isLoopback(address.host)) return [];
  const message = `status.listen: other machines can reach ${address.url}, and the page asks nobody for credentials`;
  const hint =
    "listen on http://127.0.0.1:8080 and come through an SSH tunnel (ssh -L 8080:127.0.0.1:8080 gateway) or a reverse proxy that asks for a password";
  return [{ path: STATUS_LISTEN, message, hint }];
};

const ownPorts: Rule = (tree) => {
  const broker = listenAt(tree, LISTEN, MQTT_SCHEMES);
  const page = listenAt(tree, has(tree, STATUS_LISTEN) ? STATUS_LISTEN : undefined, ["http:"]);
  if (broker === undefined || page === undefined || page.port === 0 || broker.port !== page.port) return [];
  if (broker.host !== page.host) return [];
  return [{ path: STATUS_LISTEN, message: `status.listen takes port ${page.port}, and so does mqtt.listen` }];
};

const certificates: Rule = (tree) => {
  const at = (key: string): Path => ["mqtt", "tls", key];
  const complaints: Complaint[] = [];
  const scheme = (textAt(tree, LISTEN) ?? textAt(tree, CONNECT))?.split("://")[0];
  const [cert, key] = [has(tree, at("cert_file")), has(tree, at("key_file"))];
  if (scheme === "mqtts" && has(tree, LISTEN) && !(cert && key)) {
    const message = "mqtt.listen: mqtts:// needs a certificate";
    complaints.push({ path: LISTEN, message, hint: "set mqtt.tls.cert_file and mqtt.tls.key_file" });
  } else if (cert !== key) {
    const [there, missing] = cert ? ["cert_file", "key_file"] : ["key_file", "cert_file"];
    const message = `mqtt.tls.${there} needs mqtt.tls.${missing} beside it`;
    complaints.push({ path: at(there), at: "key", message });
  }
  if (scheme === "mqtt" && has(tree, ["mqtt", "tls"])) {
    const message = "mqtt.tls has no effect on mqtt://";
    complaints.push({ path: ["mqtt", "tls"], at: "key", message, hint: "write mqtts://" });
  }
  if (textAt(tree, at("require_client_certificate")) === "true") {
    const path = at("require_client_certificate");
    if (!has(tree, LISTEN))
      complaints.push({ path, at: "key", message: `${path.join(".")} belongs to listen` });
    else if (!has(tree, at("ca_file"))) {
      const message = `${path.join(".")} needs to know whom to trust`;
      complaints.push({ path, at: "key", message, hint: "set mqtt.tls.ca_file" });
    }
  }
  return complaints;
};

/** A credential that would have no effect is a misunderstanding. */
const credentialsWhereUsed: Rule = (tree) => {
  const complaints: Complaint[] = [];
  const misplaced = (keys: readonly string[], hint: string): void => {
    for (const key of keys.filter((one) => has(tree, ["mqtt", one]))) {
      const message = `mqtt.${key} has no effect ${has(tree, LISTEN) ? "beside listen" : "beside connect"}`;
      complaints.push({ path: ["mqtt", key], at: "key", message, hint });
    }
  };
  const ofClients = ["client_id", "username", "password", "password_file"];
  if (has(tree, LISTEN) && !has(tree, CONNECT)) {
    misplaced(ofClients, "it belongs to connect; users of the embedded broker are in mqtt.users_file");
  } else if (has(tree, CONNECT) && !has(tree, LISTEN)) {
    misplaced(
      ["users_file"],
      "it belongs to listen; towards an existing broker use mqtt.username and mqtt.password_file",
    );
    const password = ["password", "password_file"].find((key) => has(tree, ["mqtt", key]));
    if (password !== undefined && !has(tree, ["mqtt", "username"])) {
      complaints.push({
        path: ["mqtt", password],
        at: "key",
        message: `mqtt.${password} needs mqtt.username beside it`,
      });
    }
  }
  return complaints;
};

const oneIdentity: Rule = (tree) => {
  const [iot, keys]: Path[] = [
    [...CREDENTIALS, "iot"],
    [...CREDENTIALS, "static"],
  ];
  if (iot === undefined || keys === undefined || !has(tree, keys)) return [];
  if (has(tree, iot)) {
    return [
      { path: keys, at: "key", message: "kinesis.credentials has both iot and static", hint: "keep one" },
    ];
  }
  if (has(tree, [...keys, "secret_access_key"]) || has(tree, [...keys, "secret_access_key_file"])) return [];
  const message = "kinesis.credentials.static has no secret access key";
  return [{ path: keys, at: "key", message, hint: "set secret_access_key_file" }];
};

const plausibleRanges: Rule = (tree) =>
  SENSOR_TYPES.flatMap((type): Complaint[] => {
    const path = ["readings", "types", type, "plausible"];
    const [min, max] = [textAt(tree, [...path, "min"]), textAt(tree, [...path, "max"])];
    if (min === undefined || max === undefined || !(Number(min) > Number(max))) return [];
    return [{ path: [...path, "min"], message: `${pathText(path)} ends before it begins` }];
  });

const RULES: readonly Rule[] = [
  oneSource,
  credentialsBeforeOthers,
  pageOnLoopback,
  ownPorts,
  certificates,
  credentialsWhereUsed,
  oneIdentity,
  plausibleRanges,
  aliasRule,
];

const LISTEN: Path = ["mqtt", "listen"];
const CONNECT: Path = ["mqtt", "connect"];
const STATUS_LISTEN: Path = ["status", "listen"];
const CREDENTIALS: Path = ["kinesis", "credentials"];

function has(tree: Tree, path: Path): boolean {
  return treeAt(tree, path) !== undefined;
}

function asksForCertificates(tree: Tree): boolean {
  return (
    textAt(tree, LISTEN)?.startsWith("mqtts:") === true &&
    textAt(tree, ["mqtt", "tls", "require_client_certificate"]) === "true"
  );
}

function listenAt(tree: Tree, path: Path | undefined, schemes: readonly string[]): ListenAddress | undefined {
  const text = path === undefined ? undefined : textAt(tree, path);
  if (text === undefined) return undefined;
  const address = readListen(text, schemes);
  return address instanceof Unfit ? undefined : address;
}
