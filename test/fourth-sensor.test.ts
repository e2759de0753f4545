/** A fourth sensor touches two source files, the contract and the simulators: types, configuration, SQL, page and metrics follow. */

import { execFileSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "esbuild";
import t from "tap";
import { plainNode } from "./helpers/node.ts";
import { Program } from "./helpers/program.ts";

t.setTimeout(240_000);

const GREETING = /"listen":"(mqtt:[^"]+)".*"status":"(http:[^"]+)"/;

/** A copy of the programs' sources. */
function copyOf(t: { testdir(): string }): string {
  const root = t.testdir();
  for (const name of ["agent", "simulators", "cloud", "deploy", "package.json"])
    cpSync(name, join(root, name), { recursive: true });
  symlinkSync(join(process.cwd(), "node_modules"), join(root, "node_modules"));
  const { compilerOptions } = JSON.parse(readFileSync("tsconfig.json", "utf8"));
  const own = { ...compilerOptions, incremental: false, tsBuildInfoFile: undefined };
  // The stacks know no sensor, and their library takes the compiler half a minute.
  const include = ["agent", "simulators", "cloud/sql", "cloud/local", "deploy"];
  writeFileSync(join(root, "tsconfig.json"), JSON.stringify({ compilerOptions: own, include }));
  return root;
}

function change(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  writeFileSync(
    file,
    text.replace(from, () => to),
  );
}

function node(root: string, ...args: string[]): string {
  const [command, all] = plainNode(args);
  return execFileSync(command, all, { cwd: root, encoding: "utf8" });
}

t.test("Wind Speed, added to the contract and the simulators, goes the whole way", async (t) => {
  const root = copyOf(t);
  const contract = join(root, "agent/contract/sensors.ts");
  change(contract, '"Hydraulic Pressure"] as const', '"Hydraulic Pressure", "Wind Speed"] as const');
  const sensor = `{ type: "Wind Speed", slug: "wind-speed", unit: "m/s", nominal: 9, plausible: { min: 0, max: 60 }, aliases: [] }`;
  change(
    contract,
    `    aliases: ["hydraulicpressure"],\n  },\n`,
    `    aliases: ["hydraulicpressure"],\n  },\n  "Wind Speed": ${sensor},\n`,
  );
  const simulator = `() => ({ type: "Wind Speed", idPrefix: "PWS_", measure: ({ windSpeed }) => windSpeed })`;
  change(join(root, "simulators/sensors.ts"), "\n};\n", `\n  "Wind Speed": ${simulator},\n};\n`);
  node(root, "node_modules/typescript/bin/tsc", "--noEmit");
  node(root, "deploy/build.mjs");

  const config = join(root, "agent.config.yaml");
  writeFileSync(
    config,
    `version: 1
gateway: { id: gw-four }
mqtt: { listen: "mqtt://127.0.0.1:0" }
readings: { types: { Wind Speed: { plausible: { max: 1 }, aliases: [anemometer] } } }
buffer: { path: "${root}/buffer.db" }
kinesis: { region: us-east-1, endpoint: "http://127.0.0.1:9" }
status: { listen: "http://127.0.0.1:0" }
`,
  );
  const agent = new Program(relative("dist", join(root, "dist/windfarm")), ["run", "--config", config]);
  t.teardown(() => agent.kill());
  await agent.says(GREETING);
  const [, broker = "", page = ""] = GREETING.exec(agent.stdout) ?? [];
  node(root, "dist/simulate.js", "--turbines=1", "--count=5", "--rate=100", `--broker=${broker}`);
  const ask = async (path: string) => (await fetch(new URL(path, page))).text();
  const live = JSON.parse(await ask("/api/live"));
  t.match(live.types[3], { type: "Wind Speed", unit: "m/s", min: 0, max: 1 }, "its range is a setting");
  t.match(live.turbines, [{ name: "T01", sensors: { "Wind Speed": { outside: 5 } } }]);
  t.match(await ask("/"), /<th scope="col">Wind Speed<\/th>/);
  t.match(await ask("/metrics"), 'windfarm_validate_accepted_total{type="Wind Speed"} 5');

  const outfile = join(root, "dist/read.mjs");
  await build({
    entryPoints: [join(root, "cloud/sql/read.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
  });
  const { namedQueries } = await import(outfile);
  const episodes = namedQueries().find(({ name }: { name: string }) => name === "out-of-range-episodes");
  t.match(episodes.sql, "WHEN type = 'Wind Speed' AND data NOT BETWEEN 0 AND 60 THEN 1");
});
