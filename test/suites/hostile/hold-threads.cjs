// Holds half of the thread pool for good, as name look-ups do while the link is down: opening a pipe that nobody writes to waits.
const { execFileSync } = require("node:child_process");
const { mkdtempSync, open } = require("node:fs");
const { join } = require("node:path");
const { tmpdir } = require("node:os");

const folder = mkdtempSync(join(tmpdir(), "windfarm-held-"));
for (const name of ["one", "two"]) {
  execFileSync("mkfifo", [join(folder, name)], { env: { ...process.env, NODE_OPTIONS: "" } });
  open(join(folder, name), "r", () => {});
}
