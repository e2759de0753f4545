/** From a file's bytes to a configuration, or to every problem in it at once. */

import { checkCertificates } from "./certificates.ts";
import { type Environment, fillIn } from "./environment.ts";
import { explain } from "./explain.ts";
import { type Disk, fillInSecrets, namesFiles } from "./files.ts";
import { checkPaths } from "./paths.ts";
import { type Complaint, ConfigFault, inOrder, type Problem } from "./problems.ts";
import { withoutRetired } from "./retired.ts";
import { checkRules } from "./rules.ts";
import { type AgentConfig, CONFIG_VERSION, configSchema } from "./schema.ts";
import { listSettings } from "./settings.ts";
import { type Path, type Tree, textAt } from "./tree.ts";
import { readYaml, type YamlSource } from "./yaml-source.ts";

/** A configuration and the tree of texts it was made from, `${ENV}` filled in and secrets not. */
export interface Loaded {
  config: AgentConfig;
  tree: Tree;
  /** What should be put right and is no reason not to start. */
  warnings: readonly Problem[];
}

/**
 * `file` is its name, for the problems.
 * Throws a ConfigFault with all problems.
 */
export function parseConfig(
  file: string,
  bytes: Uint8Array,
  environment: Environment,
  disk: Disk = {},
): Loaded {
  const source = readYaml(decode(file, bytes));
  const problems: Problem[] = source.complaints.map(({ path, ...complaint }) => ({ file, ...complaint }));
  if (!source.readable) throw new ConfigFault(inOrder(problems));
  if (source.tree === null) throw new ConfigFault([{ file, ...NO_SETTINGS }, ...problems]);
  const { loaded, complaints, warnings = [] } = judge(source, environment, disk);
  problems.push(...complaints.filter(isOwn).map((complaint) => place(file, complaint, source)));
  const elsewhere = complaints.flatMap(({ path, at, file, ...rest }) =>
    file === undefined ? [] : [{ file, ...rest }],
  );
  if (loaded !== undefined && problems.length + elsewhere.length === 0)
    return { ...loaded, warnings: warnings.map((warning) => place(file, warning, source)) };
  throw new ConfigFault([...inOrder(problems), ...inOrder(elsewhere)]);
}

const NO_SETTINGS = {
  message: "the file has no settings",
  hint: "begin with a copy of the agent.config.yaml that comes with windfarm",
};

function decode(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigFault([{ file, message: "the file is not UTF-8 text", hint: "save it as UTF-8" }]);
  }
}

interface Judgement {
  loaded?: Omit<Loaded, "warnings">;
  warnings?: readonly Complaint[];
  complaints: Complaint[];
}

function judge(source: YamlSource, environment: Environment, disk: Disk): Judgement {
  const { tree: written } = source;
  if (typeof written !== "object" || written === null || Array.isArray(written)) {
    return {
      complaints: [{ path: [], message: "this is not a section", hint: "write one key: value a line" }],
    };
  }
  const { tree: filled, complaints } = fillIn(written, environment);
  const { tree, warnings } = withoutRetired(filled);
  // A file of another version has other settings: what else this program finds in it would only mislead.
  const otherVersion = complaintOfVersion(tree);
  if (otherVersion !== undefined) return { complaints: [otherVersion] };
  const { read, judges, kindOf } = disk;
  const withFiles = read !== undefined && namesFiles(tree);
  const secrets = withFiles ? fillInSecrets(tree, listSettings(), read, judges) : { tree, complaints: [] };
  const result = configSchema().safeParse(secrets.tree);
  const unfit = result.success ? [] : explain(result.error.issues, tree);
  // What could not be read or filled in has been complained of already.
  const known = [...source.complaints, ...complaints].flatMap(({ path }) =>
    path === undefined ? [] : [path],
  );
  const judged = [...unfit, ...checkRules(tree)].filter(
    ({ path }) => !known.some((one) => begins(path, one)),
  );
  complaints.push(...secrets.complaints, ...judged);
  if (withFiles) complaints.push(...checkCertificates(tree, read));
  if (kindOf !== undefined) complaints.push(...checkPaths(tree, kindOf));
  return result.success ? { loaded: { config: result.data, tree }, complaints, warnings } : { complaints };
}

function complaintOfVersion(tree: Tree): Complaint | undefined {
  const version = textAt(tree, ["version"]);
  if (version === undefined || version === String(CONFIG_VERSION)) return undefined;
  const message = `the file has version ${version}, and this program reads version ${CONFIG_VERSION}`;
  const newer = Number(version) > CONFIG_VERSION;
  const hint = newer ? "install a newer windfarm" : `write version: ${CONFIG_VERSION}`;
  return { path: ["version"], message, hint };
}

function isOwn({ file }: Complaint): boolean {
  return file === undefined;
}

function begins(path: Path, beginning: Path): boolean {
  return beginning.every((step, index) => step === path[index]);
}

function place(file: string, { path, at, message, hint }: Complaint, source: YamlSource): Problem {
  return { file, ...source.locate(path, at ?? "value"), message, hint };
}
