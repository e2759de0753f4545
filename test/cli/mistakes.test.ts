/** Ordinary mistakes at every command: what is wrong, what to try, the right exit code, and never "a defect". */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import t, { type Test } from "tap";
import { openIn, store } from "../buffer/setup.ts";
import { type Ended, Program, ROOT } from "../helpers/program.ts";
import { refusedIn } from "../helpers/refused.ts";

/** A folder with a configuration and a buffer that holds readings. */
async function farm(t: Test, readings = 3): Promise<string> {
  const folder = t.testdir({ folder: {}, "a-file": "x\n" });
  writeFileSync(join(folder, "agent.config.yaml"), configText("buffer.db"));
  const { buffer } = openIn(t, {}, { folder });
  if (readings > 0) store(buffer, 0, readings);
  await buffer.close();
  return folder;
}

function configText(path: string): string {
  return [
    "version: 1",
    "gateway: { id: gw-01, site: demo }",
    "mqtt: { listen: mqtt://127.0.0.1:0 }",
    "kinesis: { region: us-east-1, endpoint: http://127.0.0.1:1 }",
    `buffer: { path: "${path}" }`,
    "status: { listen: http://127.0.0.1:0 }",
  ].join("\n");
}

function windfarm(cwd: string, ...args: string[]): Promise<Ended> {
  return new Program("windfarm", args, { cwd }).ended;
}

/** The command in a shell, where its output may lead somewhere. */
async function inShell(cwd: string, line: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = line.replaceAll("windfarm", `"${process.execPath}" "${ROOT}/dist/windfarm.js"`);
  const child = spawn("bash", ["-c", `unset NODE_OPTIONS; set -o pipefail; ${script}`], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text) => {
    stdout += text;
  });
  child.stderr.on("data", (text) => {
    stderr += text;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

t.test("a file that a command names is not there, is a folder, or has no name", async (t) => {
  const cwd = await farm(t);
  new Database(join(cwd, "foreign.db")).exec("CREATE TABLE photos (path TEXT)").close();
  const cases: [string[], number, RegExp][] = [
    [["export", "--out", "none/x"], 2, /^windfarm: there is no folder none\n {2}try: make it/],
    [["export", "--out", "a-file/x"], 2, /^windfarm: there is no folder a-file\n {2}try: /],
    [["export", "--out", "folder"], 2, /^windfarm: folder is a folder\n {2}try: /],
    [["export", "--out", ""], 2, /^windfarm: the file has no name\n {2}try: /],
    [
      ["export", "--out", "./buffer.db"],
      2,
      /^windfarm: \.\/buffer\.db belongs to the buffer itself\n {2}try: /,
    ],
    [
      ["export", "--out", "/dev/full"],
      1,
      /^windfarm: there is no room for \/dev\/full; .*incomplete\n {2}try: make room/,
    ],
    [["requeue", "none"], 2, /^windfarm: there is no file none\n {2}try: name an export/],
    [["requeue", "folder"], 2, /^windfarm: folder is a folder\n {2}try: /],
    [["requeue", ""], 2, /^windfarm: the file has no name\n {2}try: /],
    [["requeue", "/dev/zero"], 2, /^windfarm: \/dev\/zero is no file on a disk\n {2}try: name an export/],
    [
      ["requeue", "foreign.db"],
      1,
      /^windfarm: [^\n]*no such table: groups\n {2}try: Name an export[^\n]*\n$/,
    ],
  ];
  for (const [args, code, said] of cases) {
    const refused = await refusedIn(cwd, "buffer", ...args);
    t.match(refused, { code, stderr: said }, args.join(" "));
  }
  const [[args, code, stderr] = [[], 0, /./]] = cases;
  t.match(await windfarm(cwd, "buffer", ...args), { code, stdout: "", stderr }, "as a process");
  t.match(
    await windfarm(cwd, "buffer", "verify"),
    { code: 0, stdout: /^3 readings/ },
    "the buffer is as it was",
  );
});

t.test("a line without an end is never held whole, and no reading", async (t) => {
  const cwd = await farm(t, 0);
  // Longer than any string of Node's, and no bytes on the disk.
  writeFileSync(join(cwd, "image"), "");
  truncateSync(join(cwd, "image"), 600 * 1024 * 1024);
  const { code, stdout, stderr } = await windfarm(cwd, "buffer", "requeue", "image");
  t.same([code, stderr], [1, ""]);
  t.match(stdout, /^0 readings and 0 rejects put back; \d+ could not be read\.\n$/);
});

t.test("a damaged buffer is for the agent to mend, and no defect of the program", async (t) => {
  const cwd = await farm(t, 0);
  writeFileSync(join(cwd, "all.ndjson"), "");
  writeFileSync(join(cwd, "buffer.db"), "Dear diary,\n".repeat(1000));
  for (const command of [
    "buffer stats",
    "buffer verify",
    "buffer export",
    "buffer requeue all.ndjson",
    "rejects --replay",
  ]) {
    const { code, stderr } = await windfarm(cwd, ...command.split(" "));
    t.equal(code, 1, command);
    t.match(stderr, /^windfarm: the buffer buffer\.db can't be read: [^\n]+\n {2}try: Run as [^\n]+\n$/);
  }
});

t.test("a number of rejects is a whole one, and not beyond all reason", async (t) => {
  const cwd = await farm(t, 0);
  for (const limit of ["abc", "-3", "1.5", "1e30", "NaN", "Infinity"]) {
    const { code, stderr } = await refusedIn(cwd, "rejects", `--limit=${limit}`);
    t.equal(code, 2, limit);
    t.match(stderr, /^windfarm: --limit takes a whole number from 0 to 1000000\n {2}try: /);
  }
  t.match(await refusedIn(cwd, "rejects", "--limit"), {
    code: 2,
    stderr: /not enough arguments following: limit/,
  });
  t.match(await windfarm(cwd, "rejects", "--limit", "0"), { code: 0 });
});

t.test("a buffer.path that can hold no file is a wrong configuration, at every command", async (t) => {
  const cwd = await farm(t, 0);
  writeFileSync(join(cwd, "wrong.yaml"), configText("folder"));
  for (const command of ["check", "run", "buffer stats", "buffer export", "rejects", "rejects --replay"]) {
    const { code, stderr } = await refusedIn(cwd, ...command.split(" "), "--config", "wrong.yaml");
    t.equal(code, 78, command);
    t.match(stderr, /^wrong\.yaml:5:17: buffer\.path: folder is a folder — name a file[^\n]*\n$/);
  }
});

const setpriv = existsSync("/usr/bin/setpriv") && process.getuid?.() === 0;
t.test(
  "who may not look into the buffer's folder is told whom to be",
  { skip: !setpriv && "needs root and setpriv" },
  async (t) => {
    const cwd = await farm(t, 0);
    mkdirSync(join(cwd, "closed"));
    chmodSync(join(cwd, "closed"), 0o700);
    writeFileSync(join(cwd, "closed.yaml"), configText("closed/buffer.db"));
    for (const command of ["buffer stats", "rejects", "buffer verify"]) {
      const asNobody = `setpriv --reuid 65534 --regid 65534 --clear-groups windfarm ${command} --config closed.yaml`;
      const { code, stderr } = await inShell(cwd, asNobody);
      t.equal(code, 1, command);
      t.match(
        stderr,
        /^windfarm: this user may not look into the folder of closed\/buffer\.db\n {2}try: run this as the agent's user/,
      );
    }
  },
);

t.test("a reader that has seen enough is no failure; a full disk is one", async (t) => {
  const cwd = await farm(t, 5_000);
  t.match(await inShell(cwd, "windfarm buffer export | head -1"), { code: 0, stdout: /^\{/, stderr: "" });
  t.match(await inShell(cwd, "windfarm --help | true"), { code: 0, stderr: "" });
  for (const command of ["buffer export", "buffer stats", "check", "rejects --json"]) {
    const { code, stderr } = await inShell(cwd, `windfarm ${command} >/dev/full`);
    t.equal(code, 1, command);
    t.match(stderr, /^windfarm: standard output can't be written \(ENOSPC\)\n {2}try: make room/);
  }
  t.match(
    await inShell(cwd, "windfarm check --config none 2>/dev/full"),
    { code: 78 },
    "nobody hears, the code says it",
  );
});

t.test("messages from outside don't steer the terminal of whoever looks at them", async (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, "agent.config.yaml"), configText("buffer.db"));
  const { buffer } = openIn(t, {}, { folder });
  const hostile = "windfarm/\x1b[31mT07\x9b\u202e\n/x";
  const rejection = { reason: "topic" as const, detail: `no fit: ${hostile}`, topic: hostile, dup: false };
  buffer.reject({ ...rejection, payload: Buffer.from(hostile) }, Date.now(), () => {});
  buffer.flush();
  await buffer.close();
  const { stdout } = await windfarm(folder, "rejects");
  t.match(
    stdout,
    /topic {2}windfarm\/\\x1b\[31mT07\\x9b\\u202e\\n\/x\n {4}no fit: windfarm\/\\x1b.*\n {4}windfarm\/\\x1b.*\n$/,
  );
  const json = await windfarm(folder, "rejects", "--json");
  t.notMatch(json.stdout.trimEnd(), /\p{C}/u);
  t.match(JSON.parse(json.stdout), { newest: [{ topic: hostile, payload: hostile }] });
});
