import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import t from "tap";
import { parseOptions } from "../../../deploy/local/options.ts";
import { emptyData, makePlan } from "../../../deploy/local/plan.ts";
import { freePorts, requireFree } from "../../../deploy/local/ports.ts";

const SHIPPED = "agent.config.yaml";

t.test(
  "Without options the shipped configuration is used as it is, on the ports of the manual",
  async (t) => {
    const plan = await makePlan(parseOptions([]));
    t.match(plan.configFile, /agent\.config\.yaml$/);
    t.equal(plan.broker, "mqtt://127.0.0.1:1883");
    t.equal(plan.page, "http://127.0.0.1:8080");
    t.equal(plan.control, "http://127.0.0.1:4568");
    t.equal(plan.cloudFolder, join(process.cwd(), "data", "cloud"));
    t.strictSame(
      plan.ports.map(({ port, option }) => [port, option]),
      [
        [1883, "--mqtt-port"],
        [4567, "--kinesis-port"],
        [4568, "--control-port"],
        [8080, "--page-port"],
      ],
    );
  },
);

t.test(
  "--ports auto and --data make a configuration of their own that keeps the rest of the file",
  async (t) => {
    const folder = t.testdir({
      "mine.yaml": readFileSync(SHIPPED, "utf8").replace("id: gw-01", "id: gw-77"),
    });
    const data = join(folder, "data");
    const config = join(folder, "mine.yaml");
    const plan = await makePlan(parseOptions(["--ports", "auto", "--data", data, "--config", config]));
    t.equal(plan.configFile, join(data, "agent.config.yaml"));
    t.equal(statSync(plan.configFile).mode & 0o777, 0o600, "there may be secrets in it");
    t.equal(plan.config.gateway.id, "gw-77");
    t.equal(plan.config.buffer.path, join(data, "agent", "buffer.db"));
    t.equal(plan.cloudFolder, join(data, "cloud"));
    t.equal(new Set(plan.ports.map(({ port }) => port)).size, 4);
    t.notOk(plan.ports.some(({ port }) => [1883, 4567, 4568, 8080].includes(port)));
    t.match(readFileSync(plan.configFile, "utf8"), /^# Made by npm start from /);
  },
);

t.test("One port can be changed alone", async (t) => {
  const data = t.testdir();
  const plan = await makePlan(parseOptions(["--page-port", "8099", "--data", data]));
  t.equal(plan.page, "http://127.0.0.1:8099");
  t.equal(plan.broker, "mqtt://127.0.0.1:1883");
});

t.test("A configuration that ships elsewhere is refused: npm start is local", async (t) => {
  const shipped = readFileSync(SHIPPED, "utf8");
  const folder = t.testdir({
    "aws.yaml": shipped.replace(/^ {2}endpoint: .*$/m, ""),
    "other.yaml": shipped.replace(/^ {2}endpoint: .*$/m, "  endpoint: http://kinesis.example:4567"),
  });
  for (const file of ["aws.yaml", "other.yaml"]) {
    const options = parseOptions(["--config", join(folder, file), "--ports", "auto", "--data", folder]);
    await t.rejects(makePlan(options), { code: "start.endpoint", exitCode: 78, hint: /windfarm run/ });
  }
});

t.test("A missing configuration is the loader's message, exit code 78", async (t) => {
  await t.rejects(makePlan(parseOptions(["--config", "nowhere.yaml"])), {
    exitCode: 78,
    message: /nowhere\.yaml/,
  });
});

t.test("--fresh empties what npm start made, and nothing else", async (t) => {
  const folder = t.testdir({ agent: { "buffer.db": "x" }, cloud: { raw: { a: "x" } }, notes: "keep me" });
  const plan = await makePlan(parseOptions(["--fresh", "--ports", "auto", "--data", folder]));
  emptyData(plan);
  t.notOk(existsSync(join(folder, "agent")));
  t.notOk(existsSync(join(folder, "cloud")));
  t.ok(existsSync(join(folder, "notes")));
  const config = readFileSync(SHIPPED, "utf8").replace(
    /^ {2}path: .*$/m,
    `  path: ${folder}/precious/buffer.db`,
  );
  const foreign = join(t.testdir({ "c.yaml": config }), "c.yaml");
  const options = parseOptions(["--fresh", "--config", foreign]);
  await t.rejects(makePlan(options), { code: "start.fresh", exitCode: 2 });
});

t.test("A data folder that is none, or can't be made, is told before anything is done", async (t) => {
  const folder = t.testdir({ file: "x" });
  for (const data of [join(folder, "file"), join(folder, "file", "below"), "/proc/windfarm"]) {
    await t.rejects(makePlan(parseOptions(["--data", data])), {
      code: "start.data",
      message: data,
      hint: /--data/,
      exitCode: 2,
    });
  }
  t.strictSame(readdirSync(folder), ["file"], "and nothing of the attempt stays");
});

t.test("A port in use is named with its option and its likely owner", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const wanted = {
    host: "127.0.0.1",
    purpose: "the agent's page",
    option: "--page-port",
    likelyOwner: "a web server",
  };
  await t.rejects(requireFree([{ ...wanted, port }]), {
    code: "start.port",
    exitCode: 1,
    message: `port ${port} for the agent's page is in use`,
    hint: /a web server; --page-port N\n--ports auto, .* Nothing was started\./,
  });
  const [free = 0] = await freePorts(1);
  await requireFree([{ ...wanted, port: free }]);
});

const WRONG: Record<string, [string[], RegExp]> = {
  "an unknown option": [["--turbine", "3"], /turbine/],
  "ports that are no ports": [["--mqtt-port", "70000"], /--mqtt-port is not a port/],
  "a way to choose ports that is not known": [["--ports", "some"], /--ports some is not known/],
  "what the simulator would refuse": [["--seed", "x"], /--seed needs a whole number/],
  "an unknown fault": [["--fault", "gremlins"], /unknown fault "gremlins"/],
  "a time to wait without sensors": [["--no-simulate", "--for", "3s"], /--for has nothing to wait for/],
};

for (const [name, [args, message]] of Object.entries(WRONG)) {
  t.test(`Wrong usage: ${name} is a Fault with exit code 2 and a hint`, async (t) => {
    t.throws(() => parseOptions(args), { message, exitCode: 2, hint: /\w/ });
  });
}
