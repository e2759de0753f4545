// The buffer under a disk that fails when we say so (strace -e inject): what was acknowledged is there, and it recovers.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import t, { type Test } from "tap";
import { listQuarantined } from "../../../agent/buffer/salvage/quarantine.ts";
import { drain, type Line, openIn, ownFolder, store, until } from "../../buffer/setup.ts";
import { plainNode } from "../../helpers/node.ts";

const READINGS = 3000;

const hasStrace = spawnSync("strace", ["-V"]).status === 0;
const mayTrace = hasStrace && spawnSync("strace", ["-o", "/dev/null", "true"]).status === 0;
const skip = mayTrace ? false : hasStrace ? "strace may not trace here" : "strace is not installed";

interface Case {
  name: string;
  inject: string;
  /** True where the injection ends the process. */
  dies?: boolean;
  /** The states it must have been in. */
  states?: string[];
  /** Only calls on the file and its log. */
  ofBuffer?: boolean;
  /** Readings in the buffer before, as a power cut left it. */
  before?: number;
}

const CASES: Case[] = [
  {
    name: "fsync fails three times",
    inject: "fsync,fdatasync:error=EIO:when=20..22",
    states: ["failed", "storing"],
  },
  { name: "writing fails", inject: "pwrite64:error=EIO:when=160..164", states: ["failed", "storing"] },
  {
    name: "the disk is full for a while",
    inject: "pwrite64:error=ENOSPC:when=160..165",
    states: ["disk_full", "storing"],
  },
  {
    name: "fsync finds the disk full",
    inject: "fsync,fdatasync:error=ENOSPC:when=20..22",
    states: ["failed", "storing"],
  },
  {
    name: "the log can't be read at the start",
    inject: "pread64:error=EIO:when=1..6",
    ofBuffer: true,
    before: 500,
  },
  {
    name: "a sector of the log is refused once",
    inject: "pread64:error=EIO:when=4",
    ofBuffer: true,
    before: 500,
  },
  { name: "reading fails for a while", inject: "pread64:error=EIO:when=90..99", ofBuffer: true, before: 500 },
  {
    name: "reading fails again and again",
    inject: "pread64:error=EIO:when=40+7",
    ofBuffer: true,
    before: 500,
  },
  { name: "fsync takes 20 ms", inject: "fsync,fdatasync:delay_enter=20000" },
  { name: "killed in the middle of a write", inject: "pwrite64:signal=SIGKILL:when=177", dies: true },
  { name: "killed at an fsync", inject: "fsync,fdatasync:signal=SIGKILL:when=33", dies: true },
];

for (const each of CASES) {
  t.test(each.name, { skip }, async (t) => {
    const { folder, acknowledged, states, code } = await write(t, each);
    t.equal(code, each.dies === true ? null : 0);
    for (const state of each.states ?? []) t.ok(states.includes(state), `was ${state}`);
    if (each.dies !== true) t.equal(acknowledged.size, READINGS + (each.before ?? 0));
    t.ok(acknowledged.size > 0);
    const { missing, doubled } = await lookFor(t, folder, acknowledged);
    t.equal(missing, 0, `${acknowledged.size} acknowledged readings are all there`);
    t.equal(doubled, 0, "each with a seq of its own");
  });
}

t.test("positive control: acknowledging before the commit is found out", { skip }, async (t) => {
  const { folder, acknowledged } = await write(t, { inject: "pwrite64:signal=SIGKILL:when=177" }, "early");
  const { missing } = await lookFor(t, folder, acknowledged);
  t.ok(missing > 0, `${missing} of ${acknowledged.size} acknowledged readings are missing`);
});

async function write(
  t: Test,
  { inject, ofBuffer = false, before = 0 }: Pick<Case, "inject" | "ofBuffer" | "before">,
  ...more: string[]
) {
  const top = ownFolder(t);
  const program = join(top, "writer.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, "writer.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });
  const folder = join(top, "buffer");
  const kept = before === 0 ? [] : await cutOff(t, folder, before);
  const path = join(folder, "buffer.db");
  const syscall = inject.split(":")[0] ?? "";
  const only = ofBuffer ? ["-P", path, "-P", `${path}-wal`] : [];
  const trace = ["-f", "-qq", "-o", "/dev/null", ...only, "-e", `trace=${syscall}`, "-e", `inject=${inject}`];
  const [env, command] = plainNode([program, path, String(READINGS), ...more]);
  const argv = [...trace, env, ...command];
  const child = spawn("strace", argv, { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [code]: (number | null)[] = await once(child, "close");
  const lines = output.split("\n").slice(0, -1);
  const states = lines.filter((line) => line.startsWith("state ")).map((line) => line.slice(6));
  const acknowledged = new Set([...kept, ...lines.filter((line) => line.startsWith("PP_"))]);
  return { folder, states, code, acknowledged };
}

/** Makes a buffer in `folder` as a power cut leaves it, its newest readings in the log alone; their ids. */
async function cutOff(t: Test, folder: string, count: number): Promise<string[]> {
  const { buffer, settings } = openIn(t, {}, { folder: `${folder}-before` });
  const ids: string[] = [];
  for (let first = 0; first < count; first += 50) ids.push(...store(buffer, 1_000_000 + first, 50));
  mkdirSync(folder);
  for (const part of ["", "-wal", ".lock"])
    copyFileSync(`${settings.path}${part}`, join(folder, `buffer.db${part}`));
  await buffer.close();
  return ids;
}

/** Opens what is left and holds it against what was acknowledged. */
async function lookFor(t: Test, folder: string, acknowledged: ReadonlySet<string>) {
  const { buffer } = openIn(t, {}, { folder });
  const lines: Line[] = [];
  // What was set aside comes back after the start.
  const isAllRead = () =>
    listQuarantined(join(folder, "buffer.db")).every(({ state }) => state !== "unread") &&
    buffer.accounts().buffered === 0;
  await until(() => {
    lines.push(...drain(buffer));
    return isAllRead();
  });
  const there = new Set(lines.map(({ id }) => id));
  // One delivery may come twice, but never as two readings.
  const seqs = new Map(lines.map(({ epoch, seq, id }) => [`${epoch} ${seq}`, id]));
  const missing = [...acknowledged].filter((id) => !there.has(id)).length;
  const doubled = lines.filter(({ epoch, seq, id }) => seqs.get(`${epoch} ${seq}`) !== id).length;
  return { missing, doubled };
}
