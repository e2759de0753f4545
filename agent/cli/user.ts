/** `windfarm user`: who may connect to the embedded broker, as mosquitto_passwd does it for mosquitto. */

import { existsSync } from "node:fs";
import type { CommandModule } from "yargs";
import { defaultConfigFile } from "../config/places.ts";
import { EXIT, Fault } from "../errors.ts";
import { configOption, jsonOption } from "./options.ts";
import { print, printJson } from "./print.ts";

interface UserArguments {
  name: string;
  config: string | undefined;
  file: string | undefined;
  json: boolean;
}

interface AddArguments extends UserArguments {
  publish: string[] | undefined;
  subscribe: string[] | undefined;
  certificate: boolean;
}

/** What readings are published to where no configuration says otherwise. */
const USUAL_TOPIC = "windfarm/+/+";

export const userCommand: CommandModule<object, object> = {
  command: "user",
  describe: "Let sensors in: add or remove users of the embedded broker",
  builder: (command) =>
    command
      .command(addCommand)
      .command(removeCommand)
      .demandCommand(1, "say what to do with the user: add or remove")
      .strict(),
  handler: () => {},
};

/** Given twice, the last one counts; only the lists of topics may be. */
const lastOf = (given: string | string[] | undefined): string | undefined =>
  Array.isArray(given) ? given.at(-1) : given;

const ownConfigOption = { ...configOption, coerce: lastOf } as const;

const fileOption = {
  type: "string",
  requiresArg: true,
  coerce: lastOf,
  description: "The users file; without it mqtt.users_file of the configuration",
} as const;

const addCommand: CommandModule<object, AddArguments> = {
  command: "add <name>",
  describe: "Add a user, or give it another password; asks for it, or reads it from standard input",
  builder: (command) =>
    command
      .positional("name", { type: "string", demandOption: true, description: "The user's name" })
      .option("publish", {
        type: "string",
        array: true,
        nargs: 1,
        description:
          "Topic filter it may publish to, repeatable; for a new user mqtt.topic where none is given",
      })
      .option("subscribe", {
        type: "string",
        array: true,
        nargs: 1,
        description: "Topic filter it may subscribe to, repeatable; for a new user none",
      })
      .option("certificate", {
        type: "boolean",
        default: false,
        description: "No password: the user shows a client certificate with this common name",
      })
      .option("file", fileOption)
      .option("config", ownConfigOption)
      .option("json", jsonOption),
  handler: add,
};

const removeCommand: CommandModule<object, UserArguments> = {
  command: "remove <name>",
  describe: "Remove a user",
  builder: (command) =>
    command
      .positional("name", { type: "string", demandOption: true, description: "The user's name" })
      .option("file", fileOption)
      .option("config", ownConfigOption)
      .option("json", jsonOption),
  handler: remove,
};

async function add(given: AddArguments): Promise<void> {
  const { name, certificate, json } = given;
  const [{ withUser }, { isFilter }, { hashPassword }, store, { askPassword }] = await Promise.all([
    import("../collect/users-file.ts"),
    import("../collect/filters.ts"),
    import("../collect/passwords.ts"),
    import("./user-store.ts"),
    import("./password.ts"),
  ]);
  if (!/^[^\p{Cc}\p{Cs}]+$/u.test(name))
    throw usage("the name is empty or has control characters", "name the user by letters and digits");
  for (const filter of [...(given.publish ?? []), ...(given.subscribe ?? [])]) {
    if (isFilter(filter)) continue;
    throw usage(
      `"${filter}" is no topic filter`,
      "+ stands for a whole level, # for all that follow, at the end",
    );
  }
  const { file, topic } = await placeOf(given);
  const { content, users } = store.readUsersFile(file);
  const known = users.find((user) => user.name === name);
  const publish = given.publish ?? known?.publish ?? [topic];
  const subscribe = given.subscribe ?? known?.subscribe ?? [];
  const change = known === undefined ? { publish, subscribe } : given;
  // Asked for last: whoever typed it should not be told then that something else is wrong.
  const passwordHash = certificate ? null : await hashPassword(await askPassword(name));
  store.writeUsersFile(
    file,
    withUser(content, { name, passwordHash, publish: change.publish, subscribe: change.subscribe }),
  );
  const action = known === undefined ? "added" : "replaced";
  if (json) return printJson({ file, name, action, publish, subscribe });
  print(
    `${name} ${action} in ${file}: may publish to ${listed(publish)}, subscribe to ${listed(subscribe)}.`,
  );
  if (content === undefined && given.file !== undefined)
    print(`  The file is new: name it in mqtt.users_file.`);
  sayWhatIsNext();
}

async function remove(given: UserArguments): Promise<void> {
  const { name, json } = given;
  const [{ withoutUser }, store] = await Promise.all([
    import("../collect/users-file.ts"),
    import("./user-store.ts"),
  ]);
  const { file } = await placeOf(given);
  const { content = "", users } = store.readUsersFile(file);
  const rest = withoutUser(content, name);
  if (rest === undefined) {
    const names = users.map((user) => user.name).join(", ");
    throw new Fault("cli.no_user", `there is no user ${name} in ${file}`, {
      hint: names === "" ? "it has no users at all" : `there are ${names}`,
    });
  }
  store.writeUsersFile(file, rest);
  if (json) return printJson({ file, name, action: "removed" });
  print(`${name} removed from ${file}.`);
  sayWhatIsNext();
}

/** The file to change, and the topic readings come on. */
async function placeOf({ file, config }: UserArguments): Promise<{ file: string; topic: string }> {
  if (file === "") throw usage("the file has no name", "name the users file after --file");
  const configFile = config ?? defaultConfigFile();
  if (file !== undefined && config === undefined && !existsSync(configFile))
    return { file, topic: USUAL_TOPIC };
  const { loadConfig } = await import("../config/load.ts");
  const { mqtt } = loadConfig(configFile, { files: false });
  const found = file ?? mqtt.usersFile;
  if (found !== undefined) return { file: found, topic: mqtt.topic };
  throw usage(
    `${configFile} names no users file`,
    "set mqtt.users_file there, to /etc/windfarm/users for instance, or name a file with --file",
  );
}

function sayWhatIsNext(): void {
  print("  A running agent reads it within seconds; at once: systemctl reload windfarm");
}

function listed(filters: readonly string[]): string {
  return filters.length === 0 ? "nothing" : filters.join(", ");
}

function usage(message: string, hint: string): Fault {
  return new Fault("cli.usage", message, { hint, exitCode: EXIT.usage });
}
