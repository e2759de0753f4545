// Holds half of the thread pool, as name look-ups do while the link is down: opening a pipe that nobody writes to waits.
const { execFileSync } = require("node:child_process");
const { constants, mkdtempSync, open, openSync, rmSync } = require("node:fs");
const { join } = require("node:path");
const { tmpdir } = require("node:os");

const folder = mkdtempSync(join(tmpdir(), "windfarm-held-"));
const pipes = [join(folder, "one"), join(folder, "two")];
for (const pipe of pipes) {
  execFileSync("mkfifo", [pipe], { env: { ...process.env, NODE_OPTIONS: "" } });
  open(pipe, "r", () => {});
}
// A process can't end before its threads.
process.on("exit", () => {
  for (const pipe of pipes) openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
  rmSync(folder, { recursive: true });
});
