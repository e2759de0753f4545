/** Settings of earlier versions that mean nothing any more: a file that has them is taken, and they are told of. */

import type { Complaint } from "./problems.ts";
import { type Tree, treeAt } from "./tree.ts";

const RETIRED: readonly Complaint[] = [
  {
    path: ["kinesis", "aggregation"],
    at: "key",
    message: "kinesis.aggregation has no effect any more: readings travel as gzip",
    hint: "remove the line",
  },
];

/** `tree` without its retired settings, and what to say about them. */
export function withoutRetired(tree: Tree): { tree: Tree; warnings: readonly Complaint[] } {
  const warnings = RETIRED.filter(({ path }) => treeAt(tree, path) !== undefined);
  return { tree: warnings.reduce((left, { path }) => without(left, path), tree), warnings };
}

function without(tree: Tree, [step, ...rest]: Complaint["path"]): Tree {
  if (typeof tree !== "object" || tree === null || Array.isArray(tree) || step === undefined) return tree;
  const { [step]: inner, ...others } = tree;
  return rest.length === 0 || inner === undefined ? others : { ...tree, [step]: without(inner, rest) };
}
