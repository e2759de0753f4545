/** What is in the package: the same bytes each time, no more than promised, every licence. */

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { z } from "zod";
import pkg from "../../../package.json" with { type: "json" };
import { ROOT } from "../../helpers/program.ts";
import { packageFile } from "./packages.ts";

const hasTools = ["dpkg-deb", "g++", "make", "python3"].every(
  (tool) => spawnSync("sh", ["-c", `command -v ${tool}`]).status === 0,
);
const skip = hasTools ? false : "no dpkg-deb, g++, make or python3";
const MIB = 1024 * 1024;
const Sbom = z.object({ spdxVersion: z.string(), packages: z.array(z.object({ name: z.string() })) });

t.test("the same commit gives the same bytes, within the promised sizes", { skip, timeout: 600_000 }, (t) => {
  const hash = () =>
    createHash("sha256")
      .update(readFileSync(packageFile("amd64")))
      .digest("hex");
  t.equal(hash(), hash());
  const deb = join(ROOT, "dist", `windfarm_${pkg.version}_amd64.deb`);
  t.ok(statSync(deb).size < 45 * MIB, `${statSync(deb).size} bytes as a file`);
  const root = t.testdir();
  execFileSync("dpkg-deb", ["-x", deb, root]);
  const lib = join(root, "usr/lib/windfarm");
  const own = Number(
    execFileSync("du", ["-sb", "--exclude=node", root], { encoding: "utf8" }).split("\t")[0],
  );
  t.ok(own < 12 * MIB, `${own} bytes installed, Node.js apart`);
  t.equal(execFileSync(join(lib, "node"), ["--version"], { encoding: "utf8" }).slice(0, 4), "v24.");

  const copyright = readFileSync(join(root, "usr/share/doc/windfarm/copyright"), "utf8");
  const sbom = Sbom.parse(
    JSON.parse(readFileSync(join(root, "usr/share/doc/windfarm/windfarm.spdx.json"), "utf8")),
  );
  const names = sbom.packages.map(({ name }) => name);
  for (const name of ["aedes", "better-sqlite3", "@aws-sdk/client-kinesis", "uplot", "node"]) {
    t.ok(names.includes(name), `${name} is in the parts list`);
    t.ok(copyright.includes(`\n${name} `), `and its licence in copyright`);
  }
  for (const dev of ["typescript", "esbuild", "@duckdb/node-api"])
    t.notOk(names.includes(dev), `${dev} is not inside`);
  const owners = execFileSync("dpkg-deb", ["-c", deb], { encoding: "utf8" }).trim().split("\n");
  t.ok(
    owners.every((line) => line.includes(" root/root ")),
    "everything is root's",
  );
  t.end();
});
