import { readFileSync } from "node:fs";
import t from "tap";
import * as z from "zod";
import { runCommandLine } from "../../agent/cli/cli.ts";
import { showError } from "../../agent/cli/show-error.ts";
import { Fault } from "../../agent/errors.ts";
import { type Ended, Program } from "../helpers/program.ts";

function windfarm(...args: string[]): Promise<Ended> {
  return new Program("windfarm", args).ended;
}

t.test("--version prints the package's version", async (t) => {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync("package.json", "utf8")));
  const { code, stdout, stderr } = await windfarm("--version");
  t.same([code, stdout, stderr], [0, `${version}\n`, ""]);
});

t.test("--help names every command and the exit codes", async (t) => {
  const { code, stdout } = await windfarm("--help");
  t.equal(code, 0);
  for (const word of ["windfarm run", "windfarm check", "windfarm status", "78 wrong configuration"]) {
    t.ok(stdout.includes(word), word);
  }
});

t.test("wrong usage ends with code 2, one line of what and one of what to try", async (t) => {
  const { code, stdout, stderr } = await windfarm("stauts");
  t.same([code, stdout], [2, ""]);
  t.equal(stderr, "windfarm: there is no command stauts\n  try: windfarm status\n");
});

t.test("every wrong usage is told what to try", async (t) => {
  const cases: [string[], string, string][] = [
    [[], "a command is missing", "windfarm --help"],
    [["frobnicate"], "there is no command frobnicate", "windfarm --help"],
    [["status", "--jsn"], "unknown argument: jsn", "windfarm status --help"],
    [["check", "extra"], "unknown argument: extra", "windfarm check --help"],
    [["run", "--config"], "not enough arguments following: config", "windfarm run --help"],
    [["status", "--url", "8080"], '"8080" is not the address of a page', "write --url http://127.0.0.1:8080"],
  ];
  for (const [args, message, hint] of cases) {
    const fault = await runCommandLine(args, "0.0.0").then(
      () => undefined,
      (error: unknown) => error,
    );
    t.match(fault, { code: "cli.usage", message, hint, exitCode: 2 }, args.join(" "));
  }
});

t.test("an option given twice counts once, the last time", async (t) => {
  const twice = ["check", "--config", "agent.config.yaml", "--config", "/nowhere.yaml"];
  await t.rejects(runCommandLine(twice, "0.0.0"), {
    message: /^\/nowhere\.yaml: there is no file/,
    exitCode: 78,
  });
});

t.test("an error is shown as what, what to try and an exit code; with --json as an object", async (t) => {
  const fault = new Fault("buffer.locked", "another agent has it", { hint: "stop that one", exitCode: 1 });
  let said = "";
  const write = (text: string) => {
    said += text;
  };
  t.equal(showError(fault, { json: false, write }), 1);
  t.equal(said, "windfarm: another agent has it\n  try: stop that one\n");
  said = "";
  showError(fault, { json: true, write });
  t.same(JSON.parse(said), {
    error: { code: "buffer.locked", message: "another agent has it", hint: "stop that one" },
  });
});

t.test("a stack is shown to those who ask with --debug only", async (t) => {
  const told = (debug: boolean) => {
    let said = "";
    const cause = new TypeError("x is not a function");
    const write = (text: string) => (said += text);
    t.equal(showError(cause, { json: false, debug, write }), 1);
    return said;
  };
  t.match(told(false), /^windfarm: x is not a function\n {2}try: .*report.*--debug\n$/);
  t.match(told(true), /--debug\nTypeError: x is not a function\n {4}at /);
  const { stderr } = await windfarm("status", "--url", "http://127.0.0.1:1", "--debug");
  t.match(stderr, /no agent answers[\s\S]*\n {4}at [\s\S]*caused by: /, "foreseen faults as well");
});
