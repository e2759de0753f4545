/** `windfarm import FOLDER`: puts what `npm run provision` wrote where it belongs, tries it, and starts the agent with it. */

import type { CommandModule } from "yargs";
import { CONFIG_FOLDER } from "./gateway-files.ts";
import type { ImportArguments } from "./import-folder.ts";
import { jsonOption } from "./options.ts";

export const importCommand: CommandModule<object, ImportArguments> = {
  command: "import <folder>",
  describe: "Give this gateway its identity: the folder that npm run provision wrote",
  builder: (command) =>
    command
      .positional("folder", {
        type: "string",
        demandOption: true,
        description: "The folder, on a stick for instance",
      })
      .option("to", {
        type: "string",
        requiresArg: true,
        default: CONFIG_FOLDER,
        description: "Where it goes",
      })
      .option("replace", {
        type: "boolean",
        default: false,
        description: "Replace this gateway's own configuration as well; the old one is kept beside it",
      })
      .option("json", jsonOption)
      .example(
        "sudo windfarm import /media/stick/gw-07",
        "the third of three commands, see the installation page",
      ),
  handler: async (given) => {
    const { importFolder } = await import("./import-folder.ts");
    await importFolder(given);
  },
};
