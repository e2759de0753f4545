/** `windfarm status`: what the running agent says of itself, one plain sentence first. */

import type { CommandModule } from "yargs";
import { defaultConfigFile } from "../config/places.ts";
import { printableJson } from "../observe/printable.ts";
import { configOption, jsonOption } from "./options.ts";

interface StatusArguments {
  config: string | undefined;
  url: string | undefined;
  json: boolean;
}

export const statusCommand: CommandModule<object, StatusArguments> = {
  command: "status",
  describe: "Ask the running agent how it is",
  builder: (command) =>
    command
      .option("config", configOption)
      .option("url", {
        type: "string",
        requiresArg: true,
        description: "Address of the agent's page, instead of the one in the configuration",
      })
      .option("json", jsonOption),
  handler: async ({ config: file = defaultConfigFile(), url, json }) => {
    const { askStatus } = await import("./status-client.ts");
    const { statusText } = await import("./status-text.ts");
    const { text, status } = await askStatus(url ?? (await urlFrom(file)));
    process.stdout.write(json ? `${printableJson(text.trim())}\n` : statusText(status));
  },
};

async function urlFrom(file: string): Promise<string> {
  const { loadConfig } = await import("../config/load.ts");
  // Whoever asks may not be allowed to read the agent's certificates and passwords.
  return loadConfig(file, { files: false }).status.url;
}
