/** A folder that `npm run provision` wrote: read whole and judged before anything of it is put in place. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { parseJson } from "../common/json.ts";
import { loadConfig } from "../config/load.ts";
import { EXIT, Fault, messageOf } from "../errors.ts";
import { FILES, NEXT_KEY, readIn } from "./gateway-files.ts";

export interface Delivered {
  gateway: string;
  /** PEM. */
  certificate: string;
  privateKey: string;
  /** True where the key never left this gateway. */
  keyIsHere: boolean;
  /** The configuration's text. */
  config: string;
}

const Identity = z.object({ gateway: z.string() });

/** `to`: where the key may be already. Throws Fault `import.…` for a folder that is not whole, or whose parts don't belong together. */
export function readDelivered(folder: string, to: string): Delivered {
  const certificate = required(folder, FILES.certificate);
  const config = required(folder, FILES.config);
  const { gateway } = identityIn(folder);
  const configured = loadConfig(join(folder, FILES.config), { files: false }).gateway.id;
  if (configured !== gateway) {
    throw new Fault(
      "import.other_gateway",
      `the certificate in ${folder} is ${gateway}'s, the configuration ${configured}'s`,
      {
        hint: "run npm run provision again for the gateway you mean",
      },
    );
  }
  const brought = readIn(folder, FILES.privateKey);
  if (brought !== undefined) {
    if (belongs(certificate, brought))
      return { gateway, certificate, privateKey: brought, keyIsHere: false, config };
    throw new Fault("import.other_key", `certificate and key in ${folder} don't belong together`, {
      hint: "copy the folder again, or run npm run provision again",
    });
  }
  for (const name of [NEXT_KEY, FILES.privateKey]) {
    const kept = readIn(to, name);
    if (kept !== undefined && belongs(certificate, kept))
      return { gateway, certificate, privateKey: kept, keyIsHere: true, config };
  }
  throw new Fault("import.no_key", `${folder} holds no key, and none in ${to} belongs to its certificate`, {
    hint: "was the request made on this gateway? windfarm csr makes a new one",
  });
}

/** The key of the request is in its place now. */
export function removeNext(to: string): void {
  rmSync(join(to, NEXT_KEY), { force: true });
}

function identityIn(folder: string): z.output<typeof Identity> {
  const parsed = Identity.safeParse(parseJson(required(folder, FILES.identity)));
  if (parsed.success) return parsed.data;
  throw new Fault("import.incomplete", `${join(folder, FILES.identity)} does not say whose folder this is`, {
    hint: "run npm run provision again",
  });
}

function required(folder: string, name: string): string {
  const text = readIn(folder, name);
  if (text !== undefined) return text;
  throw new Fault("import.incomplete", `${folder} is no gateway's folder: there is no ${name} in it`, {
    hint: "name the folder that npm run provision wrote, with all its files",
    exitCode: EXIT.usage,
  });
}

function belongs(certificate: string, privateKey: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey));
  } catch (error) {
    throw new Fault("import.unreadable", `certificate or key can't be read: ${messageOf(error)}`, {
      hint: "copy the folder again",
      cause: error,
    });
  }
}
