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

export interface Mutant {
  mutations: readonly Mutation[];
  /** Names the epochs of what is opened after the power cut; like `openBuffer`'s. */
  random?: () => number;
  /** What the harness must find. */
  finds: "losing" | "reusing";
}

/** The log's syncs succeed without having been done. */
const NO_SYNC: Mutation = {
  file: "agent/buffer/log-sync.ts",
  from: "this.#syncs.beside(this.#beside, (error) => {",
  to: "setImmediate((error: Error | null = null) => {",
};

export const MUTANTS: Record<string, Mutant> = {
  "senders told before our sync": { mutations: [NO_SYNC], finds: "losing" },
  // A start that finds the log cut short begins a new epoch: it is that name which keeps seqs apart.
  "the same name for every epoch": {
    mutations: [{ file: "agent/buffer/schema.ts", from: "Math.floor(random() * 36)", to: "(0)" }],
    random: () => 0,
    finds: "reusing",
  },
  "PUBACK before the commit": {
    mutations: [
      {
        file: "agent/pipeline.ts",
        from: "const verdict = this.#validator.check(topic, payload);",
        to: "const verdict = this.#validator.check(topic, payload); stored(); stored = () => {};",
      },
    ],
    finds: "losing",
  },
};

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
