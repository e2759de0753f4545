import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { parse } from "yaml";
import { startKinesisStub } from "../helpers/kinesis-stub.ts";
import { type Ended, Program, ROOT } from "../helpers/program.ts";
import { TestBroker } from "../helpers/test-broker.ts";

const CASES = join(ROOT, "test/cases/config");

function check(cwd: string, ...args: string[]): Promise<Ended> {
  return new Program("windfarm", ["check", ...args], { cwd }).ended;
}

t.test("every problem stands on a line of its own, and the exit code is 78", async (t) => {
  const folder = join(CASES, "many-problems");
  const { code, stdout, stderr } = await check(folder, "--config", "agent.config.yaml");
  const problems = readFileSync(join(folder, "expected.txt"), "utf8");
  t.same([code, stdout], [78, ""]);
  t.equal(
    stderr,
    `${problems}windfarm: ${problems.trim().split("\n").length} problems in the configuration\n`,
  );
});

t.test("with --json the problems are data", async (t) => {
  const { code, stdout, stderr } = await check(
    join(CASES, "bad-indentation"),
    "--config",
    "agent.config.yaml",
    "--json",
  );
  t.same([code, stderr], [78, ""]);
  t.same(JSON.parse(stdout), {
    ok: false,
    file: "agent.config.yaml",
    problems: [
      {
        file: "agent.config.yaml",
        line: 4,
        column: 1,
        message: "not YAML: all mapping items must start at the same column",
      },
    ],
  });
});

t.test("the file that comes with windfarm is fine, and it is told what that means", async (t) => {
  const { code, stdout, stderr } = await check(ROOT, "--config", "agent.config.yaml");
  t.same([code, stderr], [0, ""]);
  t.match(
    stdout,
    /^agent\.config\.yaml: fine\. gw-01 collects on mqtt:\/\/127\.0\.0\.1:1883, keeps up to 2\.0 GiB/,
  );
  t.match(stdout, /note: mqtt\.listen is on loopback/);
  t.match(stdout, /note: kinesis\.endpoint is set/);
});

t.test("a key that is not its certificate's is refused by check and by run, in the same words", async (t) => {
  const fixtures = join(ROOT, "test/ship/fixtures");
  const tls = `{ cert_file: ${fixtures}/server.pem, key_file: ${fixtures}/stranger.key }`;
  const file = readFileSync(join(CASES, "minimal/agent.config.yaml"), "utf8");
  const listen = `listen: mqtts://127.0.0.1:0\n  tls: ${tls}`;
  const folder = t.testdir({ "agent.config.yaml": file.replace("listen: mqtt://127.0.0.1:1883", listen) });
  for (const command of ["check", "run"]) {
    const args = [command, "--config", "agent.config.yaml"];
    const { code, stdout, stderr } = await new Program("windfarm", args, { cwd: folder }).ended;
    t.same([code, stdout], [78, ""], command);
    t.match(
      stderr,
      /^agent\.config\.yaml:6:\d+: mqtt\.tls\.key_file: .*stranger\.key does not belong .* — [^\n]+\n$/,
    );
  }
});

t.test("--show prints a file that is taken again, without secrets", async (t) => {
  const password = { MQTT_PASSWORD: "s3cret-of-the-broker" };
  const file = readFileSync(join(CASES, "minimal/agent.config.yaml"), "utf8");
  const broker = "connect: mqtts://broker\n  username: farm\n  password: $" + "{MQTT_PASSWORD}";
  const folder = t.testdir({ "agent.config.yaml": file.replace("listen: mqtt://127.0.0.1:1883", broker) });
  const args = ["check", "--show", "--config", "agent.config.yaml"];
  const shown = await new Program("windfarm", args, { cwd: folder, env: password }).ended;
  t.equal(shown.code, 0);
  t.notMatch(shown.stdout, /s3cret/);
  t.equal(parse(shown.stdout).mqtt.password, "********");
  const again = t.testdir({ "agent.config.yaml": shown.stdout });
  t.equal((await check(again, "--config", "agent.config.yaml")).code, 0);

  const asData = await new Program("windfarm", [...args, "--json"], { cwd: folder, env: password }).ended;
  t.notMatch(asData.stdout, /s3cret/);
  t.same(JSON.parse(asData.stdout).config, parse(shown.stdout));
});

t.test("--schema prints a JSON Schema", async (t) => {
  const { code, stdout } = await check(ROOT, "--schema");
  t.equal(code, 0);
  t.match(JSON.parse(stdout), {
    $schema: /json-schema\.org/,
    required: ["version", "gateway", "mqtt", "buffer", "kinesis"],
  });
});

t.test("--online tries the broker and the stream", async (t) => {
  const broker = new TestBroker();
  await broker.start();
  t.teardown(() => broker.stop());
  const kinesis = await startKinesisStub();
  t.teardown(() => kinesis.outage());
  const file = readFileSync(join(CASES, "minimal/agent.config.yaml"), "utf8")
    .replace("listen: mqtt://127.0.0.1:1883", `connect: ${broker.url}`)
    .concat(`  endpoint: ${kinesis.endpoint}\n`);
  const folder = t.testdir({ "agent.config.yaml": file });
  const { code, stdout } = await check(folder, "--online", "--json", "--config", "agent.config.yaml");
  const report = JSON.parse(stdout);
  t.equal(code, report.ok ? 0 : 1);
  const messages: string[] = report.online.map(({ message }: { message: string }) => message);
  t.ok(
    messages.some((one) => /^127\.0\.0\.1 answers at port \d+\.$/.test(one)),
    "the port",
  );
  t.ok(
    messages.some((one) => one.includes("memory available")),
    "the machine",
  );
  t.ok(
    messages.some((one) => /^There is .* free for the buffer/.test(one)),
    "the disk",
  );
  t.ok(
    messages.some((one) => one.includes("accepts the agent")),
    "the broker",
  );
  t.ok(
    messages.some((one) => one.startsWith("Stream windfarm-readings in us-east-1: ACTIVE")),
    "the stream",
  );

  await broker.stop();
  await kinesis.outage();
  const gone = await check(folder, "--online", "--config", "agent.config.yaml");
  t.equal(gone.code, 1);
  t.match(
    gone.stdout,
    /FAILED {2}127\.0\.0\.1 refuses connections to port \d+\.\n +try: is the broker running/,
  );
  t.match(gone.stdout, /FAILED {2}.*stream windfarm-readings.*\n +try: /);
});
