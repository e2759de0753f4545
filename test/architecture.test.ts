import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import t from "tap";

const root = join(import.meta.dirname, "..");
const PROGRAMS = ["agent", "simulators", "cloud", "deploy"];
const ROOMS = ["collect", "validate", "buffer", "ship"];

/** Every import of one file of ours by another, both relative to the top of the repository. */
const imports = PROGRAMS.flatMap((program) =>
  readdirSync(join(root, program), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => importsOf(join(program, file))),
);

function importsOf(file: string): { from: string; to: string }[] {
  const source = readFileSync(join(root, file), "utf8");
  const paths = [...source.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(
    (match) => match[1] as string,
  );
  return paths.map((path) => ({ from: file, to: relative(root, join(root, dirname(file), path)) }));
}

/** The part of the agent a file belongs to: its room, or the file's own name at the top. */
function partOf(file: string): string | undefined {
  const [program, part] = file.split("/");
  return program === "agent" ? part : undefined;
}

/** The first circle met from each file that closes one. */
function circlesIn(edges: readonly { from: string; to: string }[]): string[] {
  const targets = new Map<string, string[]>();
  for (const { from, to } of edges) targets.set(from, [...(targets.get(from) ?? []), to]);
  const done = new Set<string>();
  const circles: string[] = [];
  const follow = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) circles.push([...way.slice(start), file].join(" > "));
    if (start >= 0 || done.has(file)) return;
    for (const target of targets.get(file) ?? []) follow(target, [...way, file]);
    done.add(file);
  };
  for (const file of targets.keys()) follow(file, []);
  return circles;
}

interface Rule {
  sentence: string;
  broken(from: string, to: string): boolean;
}

const inContract = (file: string) => partOf(file) === "contract";
const inCommon = (file: string) => partOf(file) === "common";
/** What every room stands on. */
const isFloor = (file: string) => inCommon(file) || inContract(file) || file === "agent/errors.ts";
const ABOVE = ["pipeline.ts", "agent.ts", "parts.ts", "snapshot-of.ts", "cli", "main.ts"];

const rules: Rule[] = [
  {
    sentence: "common imports nothing but itself, the contract only common: everybody stands on them",
    broken: (from, to) =>
      (inCommon(from) && !inCommon(to)) || (inContract(from) && !inContract(to) && !inCommon(to)),
  },
  {
    sentence: "collect, validate, buffer and ship never import each other: only the pipeline knows them",
    broken: (from, to) => {
      const [a, b] = [partOf(from) ?? "", partOf(to) ?? ""];
      return ROOMS.includes(a) && ROOMS.includes(b) && a !== b;
    },
  },
  {
    sentence:
      "a room imports common, the contract and the error catalogue only: observe and config are handed in",
    broken: (from, to) => {
      const room = partOf(from) ?? "";
      return ROOMS.includes(room) && partOf(to) !== room && !isFloor(to);
    },
  },
  {
    sentence: "observe and config import no room, and nothing above them",
    broken: (from, to) => {
      const part = partOf(from) ?? "";
      if (part !== "observe" && part !== "config") return false;
      return partOf(to) !== part && !isFloor(to);
    },
  },
  {
    sentence: "the pipeline knows the rooms and the contract, and nothing above it",
    broken: (from, to) => partOf(from) === "pipeline.ts" && ABOVE.includes(partOf(to) ?? ""),
  },
  {
    sentence: "only the command line imports the command line",
    broken: (from, to) => partOf(to) === "cli" && !["cli", "main.ts"].includes(partOf(from) ?? ""),
  },
  {
    sentence: "what runs on the gateway knows neither the cloud nor the simulators nor deploy",
    broken: (from, to) => from.startsWith("agent/") && !to.startsWith("agent/") && to !== "package.json",
  },
  {
    sentence: "the simulators and the cloud import of the agent common, the contract and its errors only",
    broken: (from, to) => /^(simulators|cloud)\//.test(from) && to.startsWith("agent/") && !isFloor(to),
  },
  {
    sentence: "the simulators and the cloud do not know each other",
    broken: (from, to) =>
      /^(simulators|cloud)\//.test(from) &&
      /^(simulators|cloud)\//.test(to) &&
      from.split("/")[0] !== to.split("/")[0],
  },
];

for (const { sentence, broken } of rules) {
  t.test(sentence, async (t) => {
    const found = imports
      .filter(({ from, to }) => broken(from, to))
      .map(({ from, to }) => `${from} imports ${to}`);
    t.strictSame(found, []);
  });
}

t.test("no file imports itself by way of others: what two need stands below both", async (t) => {
  t.strictSame(circlesIn(imports), []);
});

t.test("a circle is found, however long", async (t) => {
  const edges = ["a b", "b c", "c d", "d b", "x a"].map((edge) => {
    const [from = "", to = ""] = edge.split(" ");
    return { from, to };
  });
  t.strictSame(circlesIn(edges), ["b > c > d > b"]);
  t.strictSame(circlesIn([{ from: "a", to: "a" }]), ["a > a"]);
});

t.test("the rules look at something", async (t) => {
  t.ok(imports.length > 50, `${imports.length} imports`);
  t.ok(imports.some(({ from, to }) => from === "agent/pipeline.ts" && to === "agent/validate/validator.ts"));
});
