/** argv → command; an error → its message, its hint, its exit code. */

import pkg from "../package.json" with { type: "json" };
import { runCommandLine } from "./cli/cli.ts";
import { showError } from "./cli/show-error.ts";
import { codeOf } from "./errors.ts";

// A reader that has seen enough (`| head`) is no error.
process.stdout.on("error", (error) => {
  process.exit(codeOf(error) === "EPIPE" ? process.exitCode : 1);
});

const argv = process.argv.slice(2);
try {
  await runCommandLine(argv, pkg.version);
} catch (error) {
  process.exitCode = showError(error, {
    json: argv.includes("--json"),
    write: (text) => process.stderr.write(text),
  });
}
