/** argv → command; an error → its message, its hint, its exit code. */

import pkg from "../package.json" with { type: "json" };
import { runCommandLine } from "./cli/cli.ts";
import { showError } from "./cli/show-error.ts";
import { codeOf } from "./errors.ts";

// A reader that has seen enough (`| head`) is no error.
process.stdout.on("error", (error) => {
  process.exit(codeOf(error) === "EPIPE" ? process.exitCode : 1);
});

// The lock file keeps the last AWS SDK that runs on Node 20; its advice to upgrade is for us, not for the operator.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

const argv = process.argv.slice(2);
try {
  await runCommandLine(argv, pkg.version);
} catch (error) {
  process.exitCode = showError(error, {
    json: argv.includes("--json"),
    write: (text) => process.stderr.write(text),
  });
}
