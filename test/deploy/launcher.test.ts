/** /usr/bin/windfarm of the package: a command sees what systemd gives the service. */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { ROOT } from "../helpers/program.ts";

/** The variables that the program would get. */
function variables(t: Test, file: string, given: NodeJS.ProcessEnv = {}): Map<string, string> {
  const folder = t.testdir({ environment: file });
  const text = readFileSync(join(ROOT, "deploy/deb/files/windfarm"), "utf8")
    .replace("/etc/windfarm/environment\n", `${join(folder, "environment")}\n`)
    .replace("@ENVIRONMENT@", "MALLOC_ARENA_MAX=1")
    .replace(/^exec .*$/m, "exec env");
  const launcher = join(folder, "windfarm");
  writeFileSync(launcher, text);
  const env = { PATH: process.env.PATH, ...given };
  const said = execFileSync("sh", [launcher, "status"], { env, encoding: "utf8" });
  return new Map(
    said.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

t.test("the buffer of the shipped configuration is the service's, from whichever folder", (t) => {
  t.equal(variables(t, "").get("STATE_DIRECTORY"), "/var/lib/windfarm");
  const other = variables(t, "", { STATE_DIRECTORY: "/srv/windfarm" });
  t.equal(other.get("STATE_DIRECTORY"), "/srv/windfarm", "what is set already stays");
  t.end();
});

t.test("the service's environment file is read as systemd reads it, and never run", (t) => {
  const file = [
    "# a note",
    "HTTPS_PROXY=http://user:p$(touch /x)@proxy:3128",
    'QUOTED="two words"',
    "  SINGLE='it is'  ",
    "BLANKS =  around",
    'WINDOWS="its line ends"\r',
    "IFS=o",
    "OPTIND=x",
    "not a variable",
    "bad-name=1",
    "KEPT=file",
    "EMPTY=",
    "LAST=no end of line",
  ].join("\n");
  const seen = variables(t, file, { KEPT: "shell" });
  const expected = {
    HTTPS_PROXY: "http://user:p$(touch /x)@proxy:3128",
    QUOTED: "two words",
    SINGLE: "it is",
    BLANKS: "around",
    WINDOWS: "its line ends",
    KEPT: "shell",
    EMPTY: "",
    LAST: "no end of line",
  };
  t.same(Object.fromEntries(Object.keys(expected).map((name) => [name, seen.get(name)])), expected);
  for (const name of ["bad-name", "IFS", "OPTIND"]) t.notOk(seen.has(name), name);
  t.end();
});
