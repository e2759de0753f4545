/** `windfarm status`: what the running agent says of itself, one plain sentence first. */

import type { CommandModule } from "yargs";
import { printableJson } from "../common/printable.ts";
import { defaultConfigFile } from "../config/places.ts";
import { Fault } from "../errors.ts";
import { configOption, jsonOption } from "./options.ts";
import type { Answer } from "./status-client.ts";

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
    const { text, status } = url === undefined ? await askConfigured(file) : await askStatus(url);
    process.stdout.write(json ? `${printableJson(text.trim())}\n` : statusText(status));
  },
};

/** The answer of this configuration's agent; a Fault where it is another that has its page's port. */
async function askConfigured(file: string): Promise<Answer> {
  const { loadConfig } = await import("../config/load.ts");
  const { askStatus } = await import("./status-client.ts");
  const { strangerBy } = await import("./own-agent.ts");
  // Whoever asks may not be allowed to read the agent's certificates and passwords.
  const config = loadConfig(file, { files: false });
  const answer = await askStatus(config.status.url);
  const difference = await strangerBy(config, answer.status);
  if (difference === undefined) return answer;
  const page = config.status.url;
  throw new Fault("status.another_agent", `another agent answers at ${page}: ${difference}`, {
    hint: `give this one a page of its own with status.listen, or ask the other one: windfarm status --url ${page}`,
  });
}
