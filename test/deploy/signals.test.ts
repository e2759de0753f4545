/** A signal to npm must reach the program: npm passes it to its shell, and a shell that waits for a child keeps it. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import t from "tap";
import { z } from "zod";
import { ROOT } from "../helpers/program.ts";
import { TestBroker } from "../helpers/test-broker.ts";

const Package = z.object({ scripts: z.record(z.string(), z.string()) });
const { scripts } = Package.parse(JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8")));
/** Steps of the work on the code, which end by themselves. */
const STEPS = ["build", "prepare", "pretest", "lint", "format"];

t.test("Every script hands its process over to the program it ends with", async (t) => {
  for (const [name, text] of Object.entries(scripts)) {
    if (STEPS.includes(name)) continue;
    t.match(text.split("&&").at(-1)?.trim(), /^exec \w/, `npm run ${name}`);
  }
});

t.test("SIGTERM to npm ends the program in order, with its summary", async (t) => {
  const broker = new TestBroker();
  await broker.start();
  t.teardown(() => broker.stop());
  const args = ["run", "--silent", "simulate", "--", "--turbines=1", "--rate=100", `--broker=${broker.url}`];
  const npm = spawn("env", ["NODE_OPTIONS=", "npm", ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => npm.kill("SIGKILL"));
  let said = "";
  npm.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  await broker.until(() => broker.received.length >= 3);
  npm.kill("SIGTERM");
  // The pipe is closed only when the last process that holds it has ended.
  await once(npm, "close");
  t.match(said, /^made \d+ readings .* 0 not\n$/);
});
