/** `windfarm csr`: makes the gateway's key here, where it stays, and prints the request for its certificate. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { CommandModule } from "yargs";
import { defaultConfigFile } from "../config/places.ts";
import { EXIT, Fault } from "../errors.ts";
import { certificateRequest } from "./certificate-request.ts";
import { CONFIG_FOLDER, NEXT_KEY, place, readIn, requireFolder } from "./gateway-files.ts";
import { configOption, jsonOption } from "./options.ts";
import { printJson } from "./print.ts";

interface CsrArguments {
  gateway: string | undefined;
  config: string | undefined;
  to: string;
  json: boolean;
}

/** As AWS IoT takes a thing's name, and a certificate its common name. */
const GATEWAY_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

export const csrCommand: CommandModule<object, CsrArguments> = {
  command: "csr",
  describe: "Make the gateway's key and print a request for its certificate",
  builder: (command) =>
    command
      .option("gateway", {
        type: "string",
        requiresArg: true,
        description: "The gateway's name; without it gateway.id of the configuration",
      })
      .option("config", configOption)
      .option("to", {
        type: "string",
        requiresArg: true,
        default: CONFIG_FOLDER,
        description: "Folder that the key is put in",
      })
      .option("json", jsonOption)
      .example(
        "sudo windfarm csr --gateway gw-07 > gw-07.csr",
        "then, at home: npm run provision -- --gateway gw-07 --csr gw-07.csr",
      ),
  handler: async ({ gateway, config = defaultConfigFile(), to, json }) => {
    const name = gateway ?? (await configuredName(config));
    if (!GATEWAY_NAME.test(name)) {
      throw new Fault("cli.usage", `"${name}" can't be a gateway's name`, {
        hint: "letters, digits, _ and -, at most 64: --gateway gw-07",
        exitCode: EXIT.usage,
      });
    }
    requireFolder(to, "install the package first, or name a folder with --to");
    const request = certificateRequest(name, keyIn(to));
    if (json) printJson({ gateway: name, key: `${to}/${NEXT_KEY}`, request });
    else process.stdout.write(request);
  },
};

async function configuredName(file: string): Promise<string> {
  const { loadConfig } = await import("../config/load.ts");
  return loadConfig(file, { files: false }).gateway.id;
}

/** The key that waits for its certificate already, or a new one: asked twice, the request stays the same gateway's. */
function keyIn(folder: string): KeyObject {
  const waiting = readIn(folder, NEXT_KEY);
  if (waiting !== undefined) return readKey(`${folder}/${NEXT_KEY}`, waiting);
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  place(folder, NEXT_KEY, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
  return privateKey;
}

function readKey(file: string, text: string): KeyObject {
  const details = { hint: `move ${file} away and ask again: a new key is made then`, exitCode: EXIT.failed };
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (error) {
    throw new Fault("csr.key", `${file} holds no private key that can be read`, { ...details, cause: error });
  }
  if (key.asymmetricKeyType === "ec") return key;
  throw new Fault("csr.key", `${file} holds no key of an elliptic curve`, details);
}
