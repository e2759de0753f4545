/** The configuration in force, as a file that would make it again, secrets masked. */

import { stringify } from "yaml";
import { listSettings, type Setting } from "./settings.ts";
import { type Tree, treeAt } from "./tree.ts";

export const MASK = "********";

type Value = string | number | boolean | string[];

/** YAML of what the file says, `${ENV}` filled in, with the defaults of what it doesn't say. */
export function showConfig(tree: Tree): string {
  return stringify(effectiveConfig(tree), { lineWidth: 0 });
}

/** The same as a value, for `--json`. */
export function effectiveConfig(tree: Tree): object {
  return sectionAt(tree, [], listSettings());
}

function sectionAt(tree: Tree, path: readonly string[], settings: readonly Setting[]): object {
  const entries: [string, Value | object][] = [];
  for (const setting of settings.filter((one) => isDirectlyBelow(one.path, path))) {
    const key = setting.path.at(-1) ?? "";
    const written = treeAt(tree, setting.path);
    if (setting.kind === "section") {
      const below = settings.filter((one) => isBelow(one.path, setting.path));
      const silent = written === undefined && (setting.optional || below.length === 0);
      if (!silent) entries.push([key, sectionAt(tree, setting.path, below)]);
      continue;
    }
    const value = shownValue(setting, written ?? setting.default);
    if (value !== undefined) entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function shownValue({ kind }: Setting, written: Tree | readonly string[] | undefined): Value | undefined {
  if (Array.isArray(written)) return written.map(String);
  if (typeof written !== "string") return undefined;
  if (kind === "secret") return MASK;
  if (kind === "integer" || kind === "number") return Number(written);
  return kind === "flag" ? written === "true" : written;
}

function isBelow(path: readonly string[], section: readonly string[]): boolean {
  return path.length > section.length && section.every((key, index) => key === path[index]);
}

function isDirectlyBelow(path: readonly string[], section: readonly string[]): boolean {
  return path.length === section.length + 1 && isBelow(path, section);
}
