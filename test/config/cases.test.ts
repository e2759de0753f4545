/** The golden folders: a configuration, and every word said about it. */

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { stringify } from "yaml";
import { type Loaded, parseConfig } from "../../agent/config/parse.ts";
import { ConfigFault, problemText } from "../../agent/config/problems.ts";
import type { AgentConfig } from "../../agent/config/schema.ts";
import { effectiveConfig } from "../../agent/config/show.ts";
import { EXIT } from "../../agent/errors.ts";

const FOLDER = "test/cases/config";
const ENVIRONMENT = {
  EMPTY: "",
  IN_FLIGHT: "2",
  KEY_ID: "AKIA0000000000000000",
  SECRET: "wJalrXUtnFEMI",
  SITE: "Gode Wind",
  STATE: "/var/lib/windfarm",
};

t.test("each configuration is taken, or refused with the words beside it", async (t) => {
  const defaults = effectiveConfig(load(join(FOLDER, "minimal")).tree);
  for (const name of readdirSync(FOLDER).sort()) {
    const words = wordsOn(join(FOLDER, name), name === "minimal" ? {} : defaults);
    t.equal(words, readFileSync(join(FOLDER, name, "expected.txt"), "utf8"), name.replaceAll("-", " "));
  }
});

/** What is wrong; where nothing is, what is warned of, the sections in force that are not as in `known`, and how long the secrets are. */
function wordsOn(folder: string, known: object): string {
  try {
    const { config, tree, warnings } = load(folder);
    const usual = new Map(Object.entries(known).map(([key, section]) => [key, JSON.stringify(section)]));
    const told = Object.entries(effectiveConfig(tree)).filter(
      ([key, section]) => usual.get(key) !== JSON.stringify(section),
    );
    const secrets = secretsOf(config).map(({ length }) => `# a secret of ${length} characters\n`);
    const warned = warnings.map((warning) => `# warning: ${problemText(warning)}\n`).join("");
    return `${warned}${stringify(Object.fromEntries(told), { lineWidth: 0 })}${secrets.join("")}`;
  } catch (error) {
    if (!(error instanceof ConfigFault) || error.exitCode !== EXIT.config) throw error;
    return `${error.message}\n`;
  }
}

function load(folder: string): Loaded {
  const bytes = readFileSync(join(folder, "agent.config.yaml"));
  const read = (file: string) => readFileSync(resolve(folder, file), "utf8");
  return parseConfig("agent.config.yaml", bytes, ENVIRONMENT, { read });
}

function secretsOf({ mqtt, kinesis: { credentials } }: AgentConfig): string[] {
  const keys = credentials.kind === "static" ? [credentials.secretAccessKey, credentials.sessionToken] : [];
  return [mqtt.password, ...keys].filter((secret) => secret !== undefined);
}
