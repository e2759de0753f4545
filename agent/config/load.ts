/** From a file's name to a configuration, or to every problem in it at once. */

import { readFileSync } from "node:fs";
import { type Environment, fillIn } from "./environment.ts";
import { Explainer } from "./explain.ts";
import { fillInSecrets, type ReadText, unreadable } from "./files.ts";
import { CONFIG_PLACES } from "./places.ts";
import { type Complaint, ConfigFault, inOrder, type Problem } from "./problems.ts";
import { checkRules } from "./rules.ts";
import { type AgentConfig, CONFIG_VERSION, configSchema } from "./schema.ts";
import { listSettings } from "./settings.ts";
import { type Tree, textAt } from "./tree.ts";
import { readYaml, type YamlSource } from "./yaml-source.ts";

export interface LoadOptions {
  /**
   * False leaves files that settings name unread, secrets among them: for commands that only look and may be
   * given by a user who may not read them. Default true.
   */
  files?: boolean;
  environment?: Environment;
}

/** A configuration and the tree of texts it was made from, `${ENV}` filled in and secrets not. */
export interface Loaded {
  config: AgentConfig;
  tree: Tree;
}

/** Reads `file`; relative paths in it are relative to the working folder. Throws a ConfigFault with all problems. */
export function loadConfig(file: string, options: LoadOptions = {}): AgentConfig {
  return loadWithTree(file, options).config;
}

export function loadWithTree(
  file: string,
  { files = true, environment = process.env }: LoadOptions = {},
): Loaded {
  const read: ReadText = (path) => readFileSync(path, "utf8");
  return parseConfig(file, readOrFail(file), environment, files ? read : undefined);
}

/** The same from the file's text; `read` reads the files that settings name, undefined leaves them unread. */
export function parseConfig(file: string, text: string, environment: Environment, read?: ReadText): Loaded {
  const source = readYaml(text);
  const problems: Problem[] = source.complaints.map((complaint) => ({ file, ...complaint }));
  if (source.readable && source.tree === null) {
    problems.push({
      file,
      message: "the file has no settings",
      hint: "begin with a copy of the agent.config.yaml that comes with windfarm",
    });
  }
  if (!source.readable || source.tree === null) throw new ConfigFault(inOrder(problems));
  const { loaded, complaints } = judge(source.tree, environment, read);
  problems.push(...complaints.map((complaint) => place(file, complaint, source)));
  if (loaded === undefined || problems.length > 0) throw new ConfigFault(inOrder(problems));
  return loaded;
}

function judge(
  written: Tree,
  environment: Environment,
  read: ReadText | undefined,
): { loaded?: Loaded; complaints: Complaint[] } {
  if (typeof written !== "object" || Array.isArray(written)) {
    return {
      complaints: [{ path: [], message: "these are no settings", hint: "write one key: value a line" }],
    };
  }
  const { tree, complaints } = fillIn(written, environment);
  const otherVersion = complaintOfVersion(tree);
  // A file of another version has other settings: what else this program finds in it would only mislead.
  if (otherVersion !== undefined) return { complaints: [otherVersion] };
  const settings = listSettings();
  const unfilled = new Set(complaints.map(({ path }) => JSON.stringify(path)));
  const withSecrets = read === undefined ? { tree, complaints: [] } : fillInSecrets(tree, settings, read);
  complaints.push(...withSecrets.complaints);
  const result = configSchema().safeParse(withSecrets.tree);
  const explainer = new Explainer(tree, settings);
  const found = [
    ...(result.error?.issues.flatMap((issue) => explainer.explain(issue)) ?? []),
    ...checkRules(tree),
  ];
  complaints.push(...found.filter(({ path }) => !unfilled.has(JSON.stringify(path))));
  return result.success ? { loaded: { config: result.data, tree }, complaints } : { complaints };
}

function complaintOfVersion(tree: Tree): Complaint | undefined {
  const version = textAt(tree, ["version"]);
  if (version === undefined || version === String(CONFIG_VERSION)) return undefined;
  const message = `the file has version ${version}, and this program reads version ${CONFIG_VERSION}`;
  const newer = Number(version) > CONFIG_VERSION;
  const hint = newer ? "install a newer windfarm" : `write version: ${CONFIG_VERSION}`;
  return { path: ["version"], message, hint };
}

function place(file: string, { path, at, message, hint }: Complaint, source: YamlSource): Problem {
  return { file, ...source.locate(path, at ?? "value"), message, hint };
}

function readOrFail(file: string): string {
  const hint = `name another with --config; without it windfarm looks for ${CONFIG_PLACES.join(", then ./")}`;
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new ConfigFault([{ file, message: unreadable(file, error), hint }]);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigFault([{ file, message: "the file is not UTF-8 text", hint: "save it as UTF-8" }]);
  }
}
