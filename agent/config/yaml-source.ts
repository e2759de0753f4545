/** Reads YAML into a tree that remembers where each key and value stands. */

import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
  type YAMLError,
} from "yaml";
import type { Path, Position, Tree, TreeSection } from "./tree.ts";

export interface YamlComplaint extends Position {
  message: string;
  hint?: string | undefined;
  /** Of the value that is not taken as it is. */
  path?: Path;
}

/** A file that is YAML, though perhaps not yet a configuration. */
export interface YamlSource {
  /** Null for a file without settings. */
  tree: Tree;
  /** Where the key or the value at `path` stands, or what of the path there is. */
  locate(path: Path, what: "key" | "value"): Position;
  complaints: readonly YamlComplaint[];
  /** False where the tree can't be trusted, so that only the complaints are worth saying. */
  readable: boolean;
}

/** Our own words for the slips people make most; the library's for the rest. */
const WORDS: Partial<Record<YAMLError["code"], { message: string; hint?: string }>> = {
  TAB_AS_INDENT: { message: "a tab indents this line", hint: "indent with blanks, YAML allows no tabs" },
  DUPLICATE_KEY: { message: "this key appears twice", hint: "keep one of them" },
  MULTIPLE_DOCS: { message: "a second document begins here", hint: "remove the line ---" },
  MULTILINE_IMPLICIT_KEY: { message: "this is not a setting", hint: "write key: value" },
  BLOCK_AS_IMPLICIT_KEY: {
    message: "two settings on one line",
    hint: "one key: value a line, or quote the value",
  },
};

export function readYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: "core" });
  const reader = new TreeReader(lines);
  const complaints: YamlComplaint[] = [...document.errors, ...document.warnings].map((error) => ({
    ...reader.position(error.pos[0]),
    ...(WORDS[error.code] ?? { message: `not YAML: ${lowerFirst(error.message)}` }),
  }));
  const broken = document.errors.some((error) => error.code !== "DUPLICATE_KEY");
  if (broken)
    return { tree: null, locate: () => START, complaints: firstOfEachLine(complaints), readable: false };
  const tree = reader.read(document.contents, []);
  complaints.push(...reader.complaints);
  return { tree, locate: (path, what) => reader.locate(path, what), complaints, readable: true };
}

const START: Position = { line: 1, column: 1 };

class TreeReader {
  readonly complaints: YamlComplaint[] = [];
  readonly #lines: LineCounter;
  readonly #keys = new Map<string, Position>();
  readonly #values = new Map<string, Position>();

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  position(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  read(node: Node | null, path: Path): Tree {
    if (node === null) return null;
    const position = this.position(node.range?.[0] ?? 0);
    this.#values.set(JSON.stringify(path), position);
    if (isAlias(node) || ("anchor" in node && node.anchor !== undefined)) {
      const message = "anchors and aliases (&, *) are not taken";
      this.complaints.push({ ...position, path, message, hint: "write the value out" });
    }
    if (isMap(node)) return this.#section(node.items, path);
    if (isSeq(node))
      return node.items.map((item, index) => this.read(isNode(item) ? item : null, [...path, index]));
    return isScalar(node) ? scalarText(node) : null;
  }

  locate(path: Path, what: "key" | "value"): Position {
    const whole = JSON.stringify(path);
    const [first, second] = what === "key" ? [this.#keys, this.#values] : [this.#values, this.#keys];
    const found = first.get(whole) ?? second.get(whole);
    if (found !== undefined) return found;
    return path.length === 0 ? START : this.locate(path.slice(0, -1), "key");
  }

  #section(pairs: readonly Pair[], path: Path): TreeSection {
    const entries = new Map<string, Tree>();
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? scalarText(key) : null;
      const position = this.position((isNode(key) ? key.range?.[0] : undefined) ?? 0);
      if (name === null) {
        this.complaints.push({ ...position, message: "this can't be a key", hint: "write key: value" });
        continue;
      }
      const below = [...path, name];
      if (!entries.has(name)) this.#keys.set(JSON.stringify(below), position);
      entries.set(name, this.read(isNode(value) ? value : null, below));
    }
    return Object.fromEntries(entries);
  }
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

/** The text as written; null for an empty value, `~` and `null`. */
function scalarText(node: Scalar): string | null {
  if (node.value === null) return null;
  if (node.type === Scalar.PLAIN && node.source !== undefined) return node.source;
  return String(node.value);
}

function firstOfEachLine(complaints: readonly YamlComplaint[]): YamlComplaint[] {
  return complaints.filter((one, index) => complaints.findIndex(({ line }) => line === one.line) === index);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
