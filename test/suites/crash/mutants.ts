/** Builds the agent as it is, or broken on purpose: a harness that finds nothing in a broken agent finds nothing. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";

const root = join(import.meta.dirname, "..", "..", "..");

export interface Mutation {
  /** Path within the repository. */
  file: string;
  from: string;
  to: string;
}

export const MUTANTS = {
  /** WAL with synchronous=NORMAL: a commit returns before its fsync. */
  "synchronous=NORMAL": [
    {
      file: "agent/buffer/connection.ts",
      from: 'db.pragma("synchronous = FULL");',
      to: 'db.pragma("synchronous = NORMAL");',
    },
    { file: "agent/buffer/connection.ts", from: "const FULL = 2;", to: "const FULL = 1;" },
  ],
  /** PUBACK as soon as a reading was handed over. */
  "PUBACK before the commit": [
    {
      file: "agent/pipeline.ts",
      from: "const verdict = this.#validator.check(topic, payload);",
      to: "const verdict = this.#validator.check(topic, payload); stored(); stored = () => {};",
    },
  ],
} as const satisfies Record<string, readonly Mutation[]>;

/** Builds `entry` (a path within the repository) to `outfile`. */
export async function buildProgram(
  entry: string,
  outfile: string,
  mutations: readonly Mutation[] = [],
): Promise<string> {
  await build({
    entryPoints: [join(root, entry)],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    logLevel: "error",
    plugins: [mutator(mutations)],
  });
  return outfile;
}

function mutator(mutations: readonly Mutation[]): Plugin {
  return {
    name: "mutator",
    setup({ onLoad, onEnd }) {
      const open = new Set(mutations);
      // The page plays no part here.
      const noPage = 'export const loadAssets = () => ({ script: "", style: "" });';
      onLoad({ filter: /\/page\/assets\.ts$/ }, () => ({ contents: noPage, loader: "ts" }));
      onLoad({ filter: /\/agent\/.*\.ts$/ }, ({ path }) => {
        let contents = readFileSync(path, "utf8");
        for (const mutation of mutations.filter(({ file }) => path === join(root, file))) {
          if (!contents.includes(mutation.from))
            throw new Error(`${mutation.file} no longer says: ${mutation.from}`);
          contents = contents.replace(mutation.from, mutation.to);
          open.delete(mutation);
        }
        return { contents, loader: "ts" };
      });
      onEnd(() => {
        if (open.size > 0) throw new Error("a mutation found no file");
      });
    },
  };
}
