/** npm start ended in unfriendly ways. */

import t from "tap";
import { Observer } from "../../../deploy/local/status.ts";
import { Program } from "../../helpers/program.ts";

interface Running {
  start: Program;
  observer: Observer;
  /** Process ids of the programs it runs. */
  pids: number[];
}

async function launch(data: string): Promise<Running> {
  const start = new Program("start", ["--rate", "20", "--ports", "auto", "--data", data]);
  await start.says("turbines 3 connected");
  const page = /status page +(\S+)/.exec(start.stdout)?.[1] ?? "";
  const control = /control=(\S+)/.exec(start.stdout)?.[1] ?? "";
  const ps = await run("ps", ["-o", "pid=", "--ppid", String(start.child.pid)]);
  return { start, observer: new Observer(page, control), pids: ps.trim().split(/\s+/).map(Number) };
}

async function run(file: string, args: string[]): Promise<string> {
  const { execFile } = await import("node:child_process");
  return await new Promise((resolve) => execFile(file, args, (_, stdout) => resolve(stdout)));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 50));

t.test(
  "kill -9 of npm start: its programs stop by themselves, and the next start finds everything",
  async (t) => {
    const data = t.testdir();
    const { start, pids } = await launch(data);
    t.ok(pids.length >= 3, `${pids}`);
    await start.kill("SIGKILL");
    while (pids.some(isAlive)) await turn();
    const next = await new Program("start", ["--for", "2s", "--ports", "auto", "--data", data]).ended;
    t.equal(next.code, 0) || t.comment(next.stdout);
  },
);

t.test("A second Ctrl-C ends everything at once", async (t) => {
  const data = t.testdir();
  const { start, pids, observer } = await launch(data);
  t.ok(await observer.agentReady());
  start.child.kill("SIGINT");
  await start.says("stopping: sensors, then agent, then cloud");
  start.child.kill("SIGINT");
  const { code, stdout } = await start.ended;
  t.equal(code, 1);
  t.match(stdout, /ended at once/);
  t.notOk(pids.some(isAlive));
});
