// How far long work has come: told to a person at a terminal, and to nobody else.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { withProgress } from "../../agent/cli/progress.ts";
import { openIn, ownFolder, store } from "../buffer/setup.ts";
import { Program } from "../helpers/program.ts";
import { atTerminal, NO_TERMINAL } from "../helpers/terminal.ts";

const ERASED = "\r\x1b[K";

/** What a terminal, or a pipe, gets to see of work that tells each of these counts 60 ms after the one before. */
async function seen(isTTY: boolean, counts: number[]): Promise<string> {
  let text = "";
  let nowMs = 0;
  const terminal = { isTTY, write: (more: string) => (text += more) };
  const work = (look: (readings: number) => void) => {
    for (const count of counts) {
      look(count);
      nowMs += 60;
    }
  };
  await withProgress("checked", work, terminal, () => nowMs);
  return text;
}

t.test("one line, rewritten ten times a second at most, and erased at the end", async (t) => {
  const line = (count: number) => `${ERASED}${count} readings checked so far …`;
  t.equal(await seen(true, [1, 2, 3, 4, 5]), `${line(1)}${line(3)}${line(5)}${ERASED}`);
  t.equal(await seen(true, []), "", "nothing to erase");
});

t.test("nothing where a program reads", async (t) => t.equal(await seen(false, [1, 2, 3]), ""));

t.test("work that fails leaves a clean line for the error", async (t) => {
  let text = "";
  const terminal = { isTTY: true, write: (more: string) => (text += more) };
  const failing = withProgress("checked", (look) => [look(1), Promise.reject(new Error("no"))][1], terminal);
  await t.rejects(failing, { message: "no" });
  t.ok(text.endsWith(ERASED));
});

async function buffer(t: Test): Promise<string> {
  const folder = ownFolder(t);
  writeFileSync(
    join(folder, "agent.config.yaml"),
    `version: 1
gateway: { id: gw-01, site: demo }
mqtt: { listen: "mqtt://127.0.0.1:1883" }
buffer: { path: buffer.db }
kinesis: { region: us-east-1 }
`,
  );
  const { buffer } = openIn(t, {}, { folder });
  store(buffer, 0, 30);
  await buffer.close();
  return folder;
}

const COMMANDS = [
  ["verify", "30 readings checked"],
  ["export --out all.ndjson", "30 readings exported"],
  ["requeue all.ndjson", "30 readings put back"],
] as const;

t.test("verify, export and requeue tell it at a terminal", { skip: NO_TERMINAL }, async (t) => {
  const cwd = await buffer(t);
  for (const [command, said] of COMMANDS) {
    const shown = await atTerminal("windfarm", ["buffer", ...command.split(" ")], cwd);
    t.ok(shown.includes(`${ERASED}${said} so far …${ERASED}`), command);
  }
});

t.test("and not in a pipe", async (t) => {
  const cwd = await buffer(t);
  for (const [command] of COMMANDS) {
    const { code, stdout, stderr } = await new Program("windfarm", ["buffer", ...command.split(" ")], { cwd })
      .ended;
    t.equal(code, 0, command);
    t.notMatch(stdout + stderr, /so far/);
  }
  t.equal(readFileSync(join(cwd, "all.ndjson"), "utf8").split("\n").length, 31);
});
