/** `windfarm check`: everything that is wrong with a configuration, and with what it leads to. */

import type { CommandModule } from "yargs";
import type { User } from "../collect/users-file.ts";
import type { Loaded } from "../config/parse.ts";
import { defaultConfigFile } from "../config/places.ts";
import { ConfigFault, problemText } from "../config/problems.ts";
import type { AgentConfig } from "../config/schema.ts";
import { EXIT } from "../errors.ts";
import { loadForAgent } from "./load-for-agent.ts";
import { configOption, jsonOption } from "./options.ts";
import type { Outcome } from "./outcome.ts";
import { print, printJson } from "./print.ts";

interface CheckArguments {
  config: string | undefined;
  online: boolean;
  show: boolean;
  schema: boolean;
  json: boolean;
}

export const checkCommand: CommandModule<object, CheckArguments> = {
  command: "check",
  describe: "Report everything that is wrong with the configuration",
  builder: (command) =>
    command
      .option("config", configOption)
      .option("online", {
        type: "boolean",
        default: false,
        description: "Also try the broker, the credentials and the stream",
      })
      .option("show", {
        type: "boolean",
        default: false,
        description: "Print the configuration in force, defaults included, secrets masked",
      })
      .option("schema", {
        type: "boolean",
        default: false,
        description: "Print the JSON Schema of the file, for editors",
      })
      .option("json", jsonOption),
  handler: async (given) => {
    const { config: file = defaultConfigFile() } = given;
    if (given.schema) await printSchema();
    else if (given.json) await checkForPrograms(file, given);
    else await checkForPeople(file, given);
  },
};

type Wanted = Pick<CheckArguments, "online" | "show">;

async function printSchema(): Promise<void> {
  const { configJsonSchema } = await import("../config/settings.ts");
  printJson(configJsonSchema(), 2);
}

async function checkForPeople(file: string, { online, show }: Wanted): Promise<void> {
  const { config, tree, warnings } = await loadForAgent(file);
  for (const warning of warnings) print(`warning: ${problemText(warning)}`);
  if (show) {
    const { showConfig } = await import("../config/show.ts");
    print(showConfig(tree).trimEnd());
  } else {
    const { remarksOn, summaryOf } = await import("./remarks.ts");
    print(`${file}: fine. ${summaryOf(config)}`);
    for (const remark of remarksOn(config, await usersOf(config))) print(`  note: ${remark}`);
  }
  if (!online) return;
  for await (const { ok, message, hint } of probe({ config, tree, warnings })) {
    print(`${ok ? "  ok      " : "  FAILED  "}${asSentence(message)}`);
    if (hint !== undefined) print(`          ${ok ? "note" : "try"}: ${hint}`);
    if (!ok) process.exitCode = EXIT.failed;
  }
}

async function checkForPrograms(file: string, { online, show }: Wanted): Promise<void> {
  let loaded: Loaded;
  try {
    loaded = await loadForAgent(file);
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    printJson({ ok: false, file, problems: error.problems });
    process.exitCode = EXIT.config;
    return;
  }
  const { remarksOn } = await import("./remarks.ts");
  const { effectiveConfig } = await import("../config/show.ts");
  const outcomes: Outcome[] = [];
  if (online) for await (const outcome of probe(loaded)) outcomes.push(outcome);
  const ok = outcomes.every((outcome) => outcome.ok);
  const { warnings } = loaded;
  const report = {
    ok,
    file,
    problems: [],
    warnings,
    remarks: remarksOn(loaded.config, await usersOf(loaded.config)),
  };
  printJson({
    ...report,
    ...(online && { online: outcomes }),
    ...(show && { config: effectiveConfig(loaded.tree) }),
  });
  if (!ok) process.exitCode = EXIT.failed;
}

/** Of a users file that has been found sound. */
async function usersOf({ mqtt }: AgentConfig): Promise<User[]> {
  if (mqtt.usersFile === undefined) return [];
  const { readUsersFile } = await import("./user-store.ts");
  return readUsersFile(mqtt.usersFile).users;
}

async function* probe({ config }: Loaded): AsyncGenerator<Outcome> {
  const { probesOf } = await import("./probes.ts");
  for (const ask of probesOf(config)) yield* await ask();
}

/** With a capital, unless it begins with an address, and a full stop. */
function asSentence(text: string): string {
  if (/^[a-z]+:\/\//.test(text)) return /[.!?]$/.test(text) ? text : `${text}.`;
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
}
