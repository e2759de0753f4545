/** Ordinary mistakes at the commands of the cloud: one sentence, what to try, the right exit code, no stack unless it is asked for. */

import { execFile } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ROOT } from "../helpers/program.ts";

interface Ended {
  code: number | string;
  out: string;
  said: string;
}

/** A line of bash in `cwd`, in which `npm-run NAME` stands for the built program; its last command's exit code. */
function inShell(cwd: string, line: string): Promise<Ended> {
  const script = line.replaceAll(/npm-run (\w+)/g, `'${process.execPath}' '${ROOT}/dist/$1.js'`);
  const env = { ...process.env, AWS_EC2_METADATA_DISABLED: "true", AWS_REGION: "" };
  return new Promise((resolve) => {
    execFile(
      "bash",
      ["-c", `unset NODE_OPTIONS; set -o pipefail; ${script}`],
      { cwd, env },
      (error, out, said) => resolve({ code: error?.code ?? 0, out, said }),
    );
  });
}

t.test("what is wrong with the words is one sentence and code 2", async (t) => {
  const cwd = t.testdir({ binary: "\0\xff", folder: {} });
  const cases: [string, RegExp][] = [
    ["query --format x", /^Invalid values: Argument: format, [^\n]+\n {2}try: /],
    ["plan --stage x", /^plan: Invalid values: Argument: stage, [^\n]+\n {2}try: /],
    ["provision --gateway g --stage x", /^provision: Invalid values: Argument: stage, [^\n]+\n {2}try: /],
    ["query --file binary", /^--file binary holds no text\n {2}try: /],
    ["audit --agent x", /^--agent x is not the address of a page\n {2}try: write --agent http:/],
    ["provision --gateways missing", /^provision: can't read the list missing: ENOENT[^\n]+\n {2}try: Name/],
    [
      "provision --gateway g --csr folder",
      /^provision: can't read the request folder: [^\n]+\n {2}try: Name/,
    ],
    ["cloud --region x", /^--region "x" is not fit: a name such as us-east-1\n {2}try: /],
    ["deb --arch", /^npm run deb: Not enough arguments following: arch\n {2}try: /],
  ];
  for (const [command, sentence] of cases) {
    const { code, out, said } = await inShell(cwd, `npm-run ${command}`);
    t.match({ code, out, said }, { code: 2, out: "", said: sentence }, command);
    t.equal(said.split("\n").length, 3, "two lines");
  }
});

t.test("a folder that can't be made is told, and no wait without end", async (t) => {
  const { code, said } = await inShell(t.testdir(), "npm-run cloud --data /proc/none/data");
  t.equal(code, 1);
  t.match(said, /^can't use the folder \/proc\/none\/data: ENOENT[^\n]+\n {2}try: give a folder [^\n]+\n$/);
});

t.test("AWS out of reach is one sentence, without the SDK's own remarks", async (t) => {
  const cwd = t.testdir();
  for (const command of ["audit --athena", "query --athena 'SELECT 1'"]) {
    const { code, said } = await inShell(cwd, `npm-run ${command}`);
    t.equal(code, 1);
    t.match(said, /^Athena did not answer: [^\n]+\n {2}try: [^\n]+\n$/, command);
  }
});

t.test("a reader that has seen enough is no failure; a full disk is one", async (t) => {
  const cwd = t.testdir();
  for (const command of ["query --list", "plan"]) {
    t.match(await inShell(cwd, `npm-run ${command} | true`), { code: 0, said: "" }, command);
    const full = await inShell(cwd, `npm-run ${command} >/dev/full`);
    t.match(
      full,
      { code: 1, said: /^standard output can't be written \(ENOSPC\)\n {2}try: make room/ },
      command,
    );
  }
});

const setpriv = existsSync("/usr/bin/setpriv") && process.getuid?.() === 0;
t.test(
  "a folder that may not be read is told as what it is; where in the program, to those who ask",
  { skip: !setpriv && "needs root and setpriv" },
  async (t) => {
    const cwd = t.testdir();
    mkdirSync(join(cwd, "closed", "raw"), { recursive: true });
    writeFileSync(join(cwd, "closed", "raw", "x"), "");
    chmodSync(join(cwd, "closed"), 0o700);
    const nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups";
    for (const command of ["audit --data closed", "query --data closed 'SELECT 1'"]) {
      const { code, said } = await inShell(cwd, `${nobody} npm-run ${command}`);
      t.equal(code, 1);
      t.match(said, /^EACCES: permission denied, [^\n]+\n {2}try: run this as [^\n]+\n$/, command);
    }
    const { said } = await inShell(cwd, `${nobody} npm-run audit --data closed --debug`);
    t.match(said, /\n {4}at /);
  },
);
