/** The file's content before anyone has judged it: texts, lists and sections, and where each stands. */

export type Tree = string | null | Tree[] | TreeSection;
export interface TreeSection {
  [key: string]: Tree;
}

/** From the root: keys, and indexes of lists. */
export type Path = readonly (string | number)[];

/** In the file; both count from 1. */
export interface Position {
  line: number;
  column: number;
}

/** What stands at `path`; undefined for nothing. */
export function treeAt(tree: Tree | undefined, path: Path): Tree | undefined {
  let here: Tree | undefined = tree;
  for (const step of path) {
    if (typeof here !== "object" || here === null) return undefined;
    if (Array.isArray(here)) here = typeof step === "number" ? here[step] : undefined;
    else here = Object.hasOwn(here, step) ? here[step] : undefined;
  }
  return here;
}

/** The text at `path`, without outer blanks; undefined for anything else. */
export function textAt(tree: Tree | undefined, path: Path): string | undefined {
  const value = treeAt(tree, path);
  return typeof value === "string" ? value.trim() : undefined;
}

/** A copy of the tree in which each text is what `change` makes of it. */
export function mapTexts(tree: Tree, change: (text: string, path: Path) => string, path: Path = []): Tree {
  if (typeof tree === "string") return change(tree, path);
  if (tree === null) return null;
  if (Array.isArray(tree)) return tree.map((value, index) => mapTexts(value, change, [...path, index]));
  return Object.fromEntries(
    Object.entries(tree).map(([key, value]) => [key, mapTexts(value, change, [...path, key])]),
  );
}

/** `readings.types["Power Factor"].aliases[1]`. */
export function pathText(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^\w+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}
