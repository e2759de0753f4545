/** Turns what zod found into sentences that name the setting, what is wrong with it, and what to write. */

import type { z } from "zod";
import { nearest } from "./nearest.ts";
import type { Complaint } from "./problems.ts";
import { listSettings, type Setting } from "./settings.ts";
import { type Path, pathText, type Tree, treeAt } from "./tree.ts";

/** Every sentence about `issues`; `tree` is what was judged. */
export function explain(issues: readonly z.core.$ZodIssue[], tree: Tree): Complaint[] {
  const explainer = new Explainer(tree, listSettings());
  return issues.flatMap((issue) => explainer.explain(issue));
}

class Explainer {
  readonly #tree: Tree;
  readonly #settings: readonly Setting[];

  constructor(tree: Tree, settings: readonly Setting[]) {
    this.#tree = tree;
    this.#settings = settings;
  }

  explain(issue: z.core.$ZodIssue): Complaint[] {
    const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => this.#unknown(path, key));
    if (issue.code === "invalid_type") return [this.#wrongType(path, issue.expected)];
    if (issue.code === "too_small") return [{ path, message: `${pathText(path)} is empty`, hint: REMOVE }];
    const hint = issue.code === "custom" ? issue.params?.hint : undefined;
    const message = `${pathText(path)}: ${issue.message}`;
    return [{ path, message, hint: typeof hint === "string" ? hint : undefined }];
  }

  #unknown(path: Path, key: string): Complaint {
    const known = this.#settings.filter((one) => samePath(one.path.slice(0, -1), path)).map(lastOf);
    const below = [...path, key];
    return {
      path: below,
      at: "key",
      message: `${pathText(below)} is not a ${samePath(path, SENSORS) ? "sensor" : "setting"}`,
      hint: this.#meant(path, key, known),
    };
  }

  #meant(path: Path, key: string, known: readonly string[]): string {
    const elsewhere = this.#settings
      .filter((one) => lastOf(one) === key)
      .map(({ path }) => path.slice(0, -1));
    const [home] = elsewhere;
    if (elsewhere.length === 1 && home !== undefined) {
      return home.length === 0 ? "it belongs at the top level" : `it belongs under ${pathText(home)}`;
    }
    const meant = nearest(key, known);
    if (meant !== undefined) return `did you mean ${meant}?`;
    return `known ${path.length === 0 ? "at the top level" : "here"}: ${known.join(", ")}`;
  }

  #wrongType(path: Path, expected: string): Complaint {
    const name = pathText(path);
    const found = treeAt(this.#tree, path);
    if (found === undefined) return { path, message: `${name} is missing`, hint: this.#purpose(path) };
    if (expected === "object") {
      return {
        path,
        message: `${name} is a section`,
        hint: "write its settings below it, indented, as key: value",
      };
    }
    if (expected === "array") return { path, message: `${name} is a list`, hint: "write [one, two]" };
    if (found === null) return { path, message: `${name} has no value`, hint: REMOVE };
    const what = Array.isArray(found) ? "a list" : "a section";
    return { path, message: `${name} takes one value, not ${what}` };
  }

  #purpose(path: Path): string | undefined {
    const setting = this.#settings.find((one) => samePath(one.path, path));
    return setting === undefined ? undefined : lowerFirst(setting.description.replace(/\.$/, ""));
  }
}

const REMOVE = "write a value, or remove the line";
const SENSORS: Path = ["readings", "types"];

function samePath(one: Path, other: Path): boolean {
  return one.length === other.length && one.every((step, index) => step === other[index]);
}

function lastOf({ path }: Setting): string {
  return path.at(-1) ?? "";
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}
