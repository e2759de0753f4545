/** `windfarm bundle`: what somebody who helps from afar needs to know, in one archive, without secrets. */

import type { CommandModule } from "yargs";
import { defaultConfigFile } from "../config/places.ts";
import { configOption, jsonOption } from "./options.ts";
import { print, printJson } from "./print.ts";

interface BundleArguments {
  config: string | undefined;
  out: string | undefined;
  json: boolean;
}

export const bundleCommand: CommandModule<object, BundleArguments> = {
  command: "bundle",
  describe: "Pack configuration, status, log and checks for a helper, without secrets",
  builder: (command) =>
    command
      .option("config", configOption)
      .option("out", {
        type: "string",
        requiresArg: true,
        description: "The archive; without it windfarm-bundle-<gateway>-<time>.tar.gz in this folder",
      })
      .option("json", jsonOption)
      .example("sudo windfarm bundle", "with the journal, which only root may read"),
  handler: async ({ config: file = defaultConfigFile(), out, json }) => {
    const [{ gatherBundle }, { packBundle }] = await Promise.all([
      import("./bundle/gather.ts"),
      import("./bundle/pack.ts"),
    ]);
    const { gateway, documents } = await gatherBundle(file);
    const time = new Date().toISOString().slice(0, 19).replace(/[-:]/g, "");
    const archive = packBundle(documents, out ?? `windfarm-bundle-${gateway}-${time}.tar.gz`);
    const names = documents.map(({ name }) => name);
    if (json) printJson({ archive, files: names });
    else print(`${archive}: ${names.join(", ")}. Secrets are left out; look through it before you send it.`);
  },
};
