/** `windfarm doctor`: why nothing ships, in one sentence, and the checks that led to it. */

import type { CommandModule } from "yargs";
import { defaultConfigFile } from "../config/places.ts";
import { configOption, jsonOption } from "./options.ts";
import { print, printJson } from "./print.ts";

interface DoctorArguments {
  config: string | undefined;
  json: boolean;
}

const MARKS = { ok: "ok", failed: "FAILED", note: "note", skipped: "–" } as const;

export const doctorCommand: CommandModule<object, DoctorArguments> = {
  command: "doctor",
  describe: "Say in one sentence why nothing ships, and what to try",
  builder: (command) =>
    command
      .option("config", configOption)
      .option("json", jsonOption)
      .example("sudo windfarm doctor", "with a look at the keys, which only root and the agent may read"),
  handler: async ({ config: file = defaultConfigFile(), json }) => {
    const { examine } = await import("./doctor/examination.ts");
    const { verdict, hint, checks, exitCode } = await examine(file);
    process.exitCode = exitCode;
    if (json) return printJson({ ok: exitCode === 0, verdict, hint, checks });
    print(`${verdict.replace(/[.]$/, "")}.`);
    if (hint !== undefined) print(`  try: ${hint}`);
    print("");
    for (const { name, state, message, hint: more } of checks) {
      print(`  ${MARKS[state].padEnd(8)}${name.padEnd(15)}${message}`);
      if (state === "note" && more !== undefined) print(`${" ".repeat(25)}${more}`);
    }
  },
};
