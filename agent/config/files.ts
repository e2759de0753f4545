/** Files that settings name: that they can be read, the secrets in them, and whether they hold what they should. */

import { codeOf } from "../errors.ts";
import type { Complaint, Problem } from "./problems.ts";
import type { Setting } from "./settings.ts";
import { type Path, pathText, type Tree, type TreeSection, textAt, treeAt } from "./tree.ts";

/** Reads a file as text; throws as `readFileSync` does. */
export type ReadText = (path: string) => string;

/** Every problem in the text of a file whose form is another part's business. */
export type Judge = (text: string) => Omit<Problem, "file">[];

/** What may be looked at beside the configuration itself; what is not given is left alone. */
export interface Disk {
  /** Reads the files that settings name. */
  read?: ReadText;
  /** What stands at a path; undefined for nothing. */
  kindOf?: (path: string) => PathKind | undefined;
  /** By the setting that names the file: `mqtt.users_file`. */
  judges?: Readonly<Record<string, Judge>>;
}
export type PathKind = "file" | "folder" | "other";

/** True where a setting names a file; most configurations need not be searched for secrets. */
export function namesFiles(tree: Tree): boolean {
  if (typeof tree !== "object" || tree === null) return false;
  if (Array.isArray(tree)) return tree.some(namesFiles);
  return Object.entries(tree).some(([key, below]) => key.endsWith("_file") || namesFiles(below));
}

/** The tree with each secret whose file is named (`password_file` for `password`) in its place; `judges` by setting. */
export function fillInSecrets(
  tree: Tree,
  settings: readonly Setting[],
  read: ReadText,
  judges: Readonly<Record<string, Judge>> = {},
): { tree: Tree; complaints: Complaint[] } {
  const complaints: Complaint[] = [];
  let filled = tree;
  for (const { path, kind } of settings) {
    const file = kind === "file" ? textAt(tree, path) : undefined;
    if (file === undefined || file === "") continue;
    const content = readOrComplain(path, file, read, complaints);
    const judge = judges[pathText(path)];
    if (judge !== undefined && content !== undefined) {
      complaints.push(...judge(content).map((problem) => ({ path, ...problem, file })));
    }
    const secret = secretOf(path, settings);
    if (secret === undefined || content === undefined) continue;
    if (treeAt(tree, secret) !== undefined) {
      const message = `${pathText(path)} and ${pathText(secret)} are both set`;
      complaints.push({ path, at: "key", message, hint: "keep the file" });
    } else if (content.trim() === "") {
      complaints.push({ path, message: `${pathText(path)}: ${file} is empty` });
    } else {
      filled = withText(filled, secret, content.replace(/\r?\n$/, ""));
    }
  }
  return { tree: filled, complaints };
}

function secretOf(path: Path, settings: readonly Setting[]): readonly string[] | undefined {
  const name = pathText(path);
  return settings.find((one) => one.kind === "secret" && `${pathText(one.path)}_file` === name)?.path;
}

function readOrComplain(
  path: Path,
  file: string,
  read: ReadText,
  complaints: Complaint[],
): string | undefined {
  try {
    return read(file);
  } catch (error) {
    complaints.push({ path, message: `${pathText(path)}: ${unreadable(file, error)}` });
    return undefined;
  }
}

/** Why a file can't be read, one sentence. */
export function unreadable(file: string, error: unknown): string {
  const code = codeOf(error);
  if (code === "ENOENT" || code === "ENOTDIR") return `there is no file ${file}`;
  if (code === "EISDIR") return `${file} is a folder`;
  if (code === "EACCES" || code === "EPERM") return `this user may not read ${file}`;
  return `${file} can't be read (${code ?? String(error)})`;
}

function withText(tree: Tree, [key, ...rest]: readonly string[], text: string): Tree {
  if (key === undefined) return text;
  const section: TreeSection = typeof tree === "object" && tree !== null && !Array.isArray(tree) ? tree : {};
  return { ...section, [key]: withText(section[key] ?? null, rest, text) };
}
