/** Where a configuration that may be wrong wants its status page. */

import { readFileSync } from "node:fs";
import { isLoopback } from "../common/loopback.ts";
import { type ListenAddress, readListen } from "./addresses.ts";
import { type Environment, fillIn } from "./environment.ts";
import { textAt } from "./tree.ts";
import { Unfit } from "./unfit.ts";
import { readYaml } from "./yaml-source.ts";

/** As the schema has it. */
const DEFAULT: ListenAddress = { host: "127.0.0.1", port: 8080, tls: false, url: "http://127.0.0.1:8080" };

/** The file's own address where it can be made out and is on loopback, else the default one. Never throws. */
export function statusAddressIn(file: string, environment: Environment = process.env): ListenAddress {
  const written = writtenIn(file, environment);
  if (written === undefined) return DEFAULT;
  const address = readListen(written, ["http:"]);
  return address instanceof Unfit || !isLoopback(address.host) ? DEFAULT : address;
}

function writtenIn(file: string, environment: Environment): string | undefined {
  try {
    const { tree } = readYaml(readFileSync(file, "utf8"));
    return tree === null ? undefined : textAt(fillIn(tree, environment).tree, ["status", "listen"]);
  } catch {
    return undefined;
  }
}
