/** What the agent's CPU time went into, from the profiles that node writes with `--cpu-prof`. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const CallFrame = z.object({
  functionName: z.string(),
  url: z.string(),
  /** From 0. */
  lineNumber: z.number(),
  columnNumber: z.number(),
});
type CallFrame = z.infer<typeof CallFrame>;
const Profile = z.object({
  nodes: z.array(z.object({ id: z.number(), callFrame: CallFrame })),
  samples: z.array(z.number()),
  /** µs since the sample before. */
  timeDeltas: z.array(z.number()),
});

const SHOWN = 24;
/** The thread waits: no CPU time. */
const IDLE = "(idle)";

/** Own seconds of every function in all profiles of `folder`, waiting left out. */
export function ownSeconds(folder: string): Map<string, number> {
  const seconds = new Map<string, number>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".cpuprofile"))) {
    const { nodes, samples, timeDeltas } = Profile.parse(
      JSON.parse(readFileSync(join(folder, file), "utf8")),
    );
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    for (const [index, id] of samples.entries()) {
      const name = names.get(id) ?? "";
      if (name !== IDLE) seconds.set(name, (seconds.get(name) ?? 0) + (timeDeltas[index] ?? 0) / 1e6);
    }
  }
  return seconds;
}

/** The functions that took most, and their share. */
export function profileTable(seconds: ReadonlyMap<string, number>): string {
  const all = [...seconds.values()].reduce((sum, each) => sum + each, 0);
  const sorted = [...seconds].sort(([, a], [, b]) => b - a);
  const share = (part: number) => `${((part / all) * 100).toFixed(1).padStart(5)} %`;
  const rest = sorted.slice(SHOWN).reduce((sum, [, each]) => sum + each, 0);
  return [
    `the agent's own time by function, of ${all.toFixed(1)} s; (program) is native code`,
    ...sorted.slice(0, SHOWN).map(([name, each]) => `  ${share(each)}  ${name}`),
    `  ${share(rest)}  all others`,
  ].join("\n");
}

const maps = new Map<string, SourceMap | undefined>();

function mapOf(url: string): SourceMap | undefined {
  if (!url.startsWith("file:")) return undefined;
  if (!maps.has(url)) {
    const file = `${fileURLToPath(url)}.map`;
    maps.set(url, existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, "utf8"))) : undefined);
  }
  return maps.get(url);
}

/** Functions of a file that have no name of their own, or one that was made short, are told by their line. */
function nameOf({ functionName, url, lineNumber, columnNumber }: CallFrame): string {
  if (url === "") return functionName;
  const origin = mapOf(url)?.findEntry(lineNumber, columnNumber);
  if (origin === undefined || !("originalSource" in origin)) return `${functionName} ${url}`.trim();
  const source = origin.originalSource.replace(/^.*\/node_modules\//, "").replace(/^(\.\.\/)+/, "");
  const named = functionName === "" || functionName.startsWith("#") ? "" : `${functionName} `;
  return `${named}${source}:${origin.originalLine + 1}`;
}
