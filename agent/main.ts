/** argv → command; an error → its message, its hint, its exit code. */

import { config } from "zod";
import pkg from "../package.json" with { type: "json" };
import { runCommandLine } from "./cli/cli.ts";
import { showError } from "./cli/show-error.ts";
import { codeOf, EXIT } from "./errors.ts";

// What is read once is not worth a compiler: it took a thirtieth of the start.
config({ jitless: true });

// A reader that has seen enough (`| head`) is no error; a disk that takes no more is one.
process.stdout.on("error", (error) => {
  if (codeOf(error) === "EPIPE") process.exit();
  process.stderr.write(`windfarm: standard output can't be written (${codeOf(error) ?? error.message})\n`);
  process.stderr.write("  try: make room where it leads to (df -h)\n");
  process.exit(EXIT.failed);
});
// Nobody is left to be told; the exit code still says it.
process.stderr.on("error", () => {});

// The lock file keeps the last AWS SDK that runs on Node 20; its advice to upgrade is for us, not for the operator.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

const argv = process.argv.slice(2);
try {
  await runCommandLine(argv, pkg.version);
} catch (error) {
  process.exitCode = showError(error, {
    json: argv.includes("--json"),
    debug: argv.includes("--debug"),
    write: (text) => process.stderr.write(text),
  });
}
