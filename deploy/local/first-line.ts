/** What a program's first line asks for, so that it can be run by this node, and otherwise as it is installed. */

import { closeSync, openSync, readSync } from "node:fs";

const LONGEST = 256;

export interface FirstLine {
  /** Arguments of node. */
  nodeArguments: readonly string[];
  env: Readonly<Record<string, string>>;
}

/** Reads `#!/usr/bin/env -S NAME=value node --argument`; a file that begins otherwise asks for nothing. */
export function firstLineOf(file: string): FirstLine {
  const start = Buffer.alloc(LONGEST);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, start, 0, LONGEST, 0);
  } finally {
    closeSync(descriptor);
  }
  const [, variables = "", words = ""] =
    /^#!\S+ -S ((?:\w+=\S+ )*)node(?: ([^\n]+))?\n/.exec(start.toString("latin1")) ?? [];
  const env = Object.fromEntries(wordsOf(variables).map((pair) => pair.split("=", 2)));
  return { nodeArguments: wordsOf(words), env };
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
