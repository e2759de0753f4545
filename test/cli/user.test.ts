/** `windfarm user`: what an operator of mosquitto does with mosquitto_passwd and an access list. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { verifyPassword } from "../../agent/collect/passwords.ts";
import { readUsersText } from "../../agent/collect/users-file.ts";
import { plainNode } from "../helpers/node.ts";
import { ROOT } from "../helpers/program.ts";
import { refusedIn } from "../helpers/refused.ts";

const MINIMAL = readFileSync("test/cases/config/minimal/agent.config.yaml", "utf8");

async function windfarm(cwd: string, input: string, ...args: string[]) {
  const child = spawn(...plainNode([join(ROOT, "dist/windfarm.js"), ...args]), { cwd, stdio: "pipe" });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

const usersIn = (file: string) => readUsersText(readFileSync(file, "utf8")).users;

t.test("a user is added, given another password, checked, and removed", async (t) => {
  const listen = "listen: mqtt://127.0.0.1:1883\n  users_file: users";
  const cwd = t.testdir({ "agent.config.yaml": MINIMAL.replace("listen: mqtt://127.0.0.1:1883", listen) });
  const file = join(cwd, "users");
  const added = await windfarm(
    cwd,
    "secret\n",
    "user",
    "add",
    "t07",
    "--publish",
    "windfarm/T07/+",
    "--publish",
    "farm/T07",
  );
  t.same([added.code, added.stderr], [0, ""]);
  t.match(
    added.stdout,
    /^t07 added in users: may publish to windfarm\/T07\/\+, farm\/T07, subscribe to nothing\.\n.*reload windfarm/,
  );
  // What root makes, its folder's group may read: in /etc/windfarm that is the agent.
  t.equal(statSync(file).mode & 0o777, process.getuid?.() === 0 ? 0o640 : 0o600);
  const [user] = usersIn(file);
  t.match(user, { name: "t07", publish: ["windfarm/T07/+", "farm/T07"], subscribe: [] });
  t.ok(await verifyPassword(Buffer.from("secret"), user?.password ?? ""));

  chmodSync(file, 0o640);
  const again = await windfarm(cwd, "better", "user", "add", "t07", "--json");
  t.same(JSON.parse(again.stdout), {
    file: "users",
    name: "t07",
    action: "replaced",
    publish: ["windfarm/T07/+", "farm/T07"],
    subscribe: [],
  });
  const [changed] = usersIn(file);
  t.ok(await verifyPassword(Buffer.from("better"), changed?.password ?? ""));
  t.equal(statSync(file).mode & 0o777, 0o640, "what lets the agent read it stays");

  t.match(await windfarm(cwd, "", "user", "add", "t08", "--certificate", "--publish", "other/#"), {
    code: 0,
  });
  const checked = await windfarm(cwd, "", "check");
  t.equal(checked.code, 0);
  t.match(checked.stdout, /note: users: nothing that t08 may publish is on mqtt\.topic, windfarm\/\+\/\+/);
  t.match(checked.stdout, /note: users: t08 has no password/);

  t.match(await windfarm(cwd, "", "user", "remove", "t08"), {
    code: 0,
    stdout: /^t08 removed from users\.\n/,
  });
  t.match(await windfarm(cwd, "", "user", "remove", "t08"), {
    code: 1,
    stderr: "windfarm: there is no user t08 in users\n  try: there are t07\n",
  });
});

const terminal = existsSync("/usr/bin/script");
t.test(
  "on a terminal the password is asked for twice, unseen",
  { skip: !terminal && "no script(1)" },
  async (t) => {
    const cwd = t.testdir({});
    const command = `${process.execPath} ${join(ROOT, "dist/windfarm.js")} user add t07 --file users`;
    const child = spawn("script", ["-qec", command, "/dev/null"], { cwd, stdio: "pipe" });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (/(Password for t07|Again): $/.test(said)) child.stdin.write("hush\r");
    });
    const [code] = await once(child, "close");
    t.equal(code, 0, said);
    t.match(said, /^Password for t07: \r\nAgain: \r\nt07 added in users/);
    t.ok(await verifyPassword(Buffer.from("hush"), usersIn(join(cwd, "users"))[0]?.password ?? ""));
  },
);

t.test("without a configuration --file is enough, and readings are what a user may publish", async (t) => {
  const cwd = t.testdir({});
  const { code, stdout } = await windfarm(cwd, "secret", "user", "add", "panel", "--file", "u", "--json");
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { action: "added", publish: ["windfarm/+/+"] });
});

t.test("each mistake is told, and changes nothing", async (t) => {
  const cwd = t.testdir({ "agent.config.yaml": MINIMAL, broken: "users:\n  - name: a\n    passwd: b\n" });
  mkdirSync(join(cwd, "folder"));
  const cases: [string[], number, RegExp][] = [
    [["add", "a"], 2, /^windfarm: agent\.config\.yaml names no users file\n {2}try: set mqtt\.users_file/],
    [["add", "a", "--file", "u", "--publish", "a#"], 2, /^windfarm: "a#" is no topic filter\n {2}try: /],
    [["add", "", "--file", "u"], 2, /^windfarm: the name is empty/],
    [["add", "--file", "u"], 2, /^windfarm: the user's name is missing\n {2}try: windfarm user --help/],
    [["add", "a", "--file", "folder"], 2, /^windfarm: folder is a folder\n {2}try: /],
    [["add", "a", "--file", "broken"], 78, /^broken:3:5: passwd is not known here — known: name, password/],
    [["remove", "a", "--file", "u"], 1, /^windfarm: there is no user a in u\n {2}try: it has no users/],
    [["add", "a", "--file", "u", "--config", "none"], 78, /^none: there is no file none/],
    [["frobnicate"], 2, /^windfarm: unknown/],
    [[], 2, /^windfarm: say what to do with the user/],
  ];
  for (const [args, code, stderr] of cases) {
    t.match(await refusedIn(cwd, "user", ...args), { code, stderr }, args.join(" "));
  }
  const asked: [string, string, RegExp][] = [
    ["u", "", /^windfarm: there is no password\n {2}try: pipe it in/],
    ["none/u", "x", /^windfarm: there is no folder none\n {2}try: /],
  ];
  for (const [file, input, stderr] of asked) {
    const ended = await windfarm(cwd, input, "user", "add", "a", "--file", file);
    t.match(ended, { code: 2, stdout: "", stderr });
  }
  t.throws(() => statSync(join(cwd, "u")));
});

t.test("a users file of no use is refused by check and by run, with its own lines", async (t) => {
  const listen = "listen: mqtt://127.0.0.1:0\n  users_file: users";
  const cwd = t.testdir({ "agent.config.yaml": MINIMAL.replace("listen: mqtt://127.0.0.1:1883", listen) });
  writeFileSync(join(cwd, "users"), "users:\n  - name: t07\n    password: secret\n  - name: 3\n");
  for (const command of ["check", "run"]) {
    const { code, stdout, stderr } = await windfarm(cwd, "", command);
    t.same([code, stdout], [78, ""]);
    t.match(
      stderr,
      /^users:3:15: the password is not a hash — .*\nusers:4:11: the name is not a text — .*\nwindfarm: 2 problems/,
    );
  }
  const { stdout } = await windfarm(cwd, "", "check", "--json");
  t.match(JSON.parse(stdout), {
    ok: false,
    problems: [
      { file: "users", line: 3, column: 15 },
      { file: "users", line: 4 },
    ],
  });
});
