import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import t from "tap";
import { z } from "zod";
import { Program } from "../helpers/program.ts";

// Half a minute on an idle machine; processes start slowly on a busy one.
t.setTimeout(280_000);

const Types = z.array(z.object({ type: z.string(), n: z.number(), mean: z.number() }));

t.test("npm start", async (t) => {
  const data = t.testdir();

  await t.test(
    "--for 5s ends by itself, everything in the lake, and the query answers three rows",
    async (t) => {
      const start = new Program("start", ["--for", "5s", "--rate", "4", "--ports", "auto", "--data", data]);
      const { code, stdout } = await start.ended;
      t.equal(code, 0) || t.comment(stdout);
      t.ok(stdout.includes("sensors made 180 readings in 5 s, 180 acknowledged\n"));
      t.ok(stdout.includes("received 180 = in the lake 180\n"));
      t.ok(stdout.endsWith("everything arrived\n"));

      const sql = "SELECT type, count(*) AS n, avg(data) AS mean FROM readings GROUP BY type ORDER BY type";
      const args = [sql, "--format", "json", "--data", join(data, "cloud")];
      const rows = Types.parse(JSON.parse((await new Program("query", args).ended).stdout));
      t.strictSame(
        rows.map(({ type, n }) => [type, n]),
        [
          ["Hydraulic Pressure", 60],
          ["Power Factor", 60],
          ["Temperature Battery", 60],
        ],
      );
      const [pressure = 0, factor = 0, temperature = 0] = rows.map(({ mean }) => mean);
      t.ok(
        Math.abs(pressure - 76) < 4 && Math.abs(temperature - 23) < 3,
        `${pressure} bar, ${temperature} °C`,
      );
      t.ok(factor > 0.85 && factor <= 1, `power factor ${factor}`);
    },
  );

  await t.test(
    "the next start goes on in the same folder, Ctrl-C stops in order and loses nothing",
    async (t) => {
      const start = new Program("start", ["--rate", "20", "--ports", "auto", "--data", data]);
      await start.says("turbines 3 connected");
      const { code, stdout } = await start.kill("SIGINT");
      t.equal(code, 0) || t.comment(stdout);
      const order = ["stopping: sensors, then agent, then cloud", "INFO: stopped", "everything arrived"];
      const places = order.map((text) => stdout.indexOf(text));
      t.ok(
        places.every((place, index) => place > (places[index - 1] ?? 0)),
        `${places}`,
      );
      const [, received, lake] = /received ([\d ]+) = in the lake ([\d ]+)\n/.exec(stdout) ?? [];
      t.equal(received, lake);
      t.ok(Number(received?.replaceAll(" ", "")) > 180, `${received} of two starts`);
    },
  );

  await t.test(
    "a program that dies is named with its last lines, the others stop in order, exit code 1",
    async (t) => {
      const start = new Program("start", ["--ports", "auto", "--data", data]);
      await start.says("turbines 3 connected");
      const Addresses = z.object({ pid: z.number() });
      const { pid } = Addresses.parse(JSON.parse(readFileSync(join(data, "cloud", "cloud.json"), "utf8")));
      process.kill(pid, "SIGKILL");
      const { code, stdout } = await start.ended;
      t.equal(code, 1) || t.comment(stdout);
      const told = stdout.indexOf("the cloud ended unexpectedly");
      t.ok(told < stdout.indexOf("INFO: Stopping"), "told at once, before the others are stopped");
      t.notMatch(stdout.slice(told), /^\s*\{"/m, "in the words of the screen, not as JSON");
      t.match(stdout, /the cloud ended unexpectedly with signal SIGKILL\n$/, "and once more in the end");
      t.match(stdout, /the cloud ended unexpectedly with signal SIGKILL; its last lines:\n.*ready/);
      t.match(stdout, /agent {3}│ .*stopped/);
    },
  );
});

t.test("Stopped before anything is ready, it says so and claims nothing", async (t) => {
  const hold =
    'if (process.argv[1]?.endsWith("cloud.js")) { console.error("held"); setInterval(() => {}, 1000); await new Promise(() => {}); }';
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hold)}` };
  const start = new Program("start", ["--ports", "auto", "--data", t.testdir()], { env });
  await start.says("held");
  const { code, stdout } = await start.kill("SIGINT");
  t.equal(code, 0);
  t.match(stdout, /\nstopped before anything was started\n$/);
  t.notMatch(stdout, /everything arrived|in the lake/);
});

t.test("A port in use: one clear message, exit code 1, nothing half-started", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const address = server.address();
  const port = address !== null && typeof address === "object" ? address.port : 0;
  const data = join(t.testdir(), "data");
  const { code, stdout, stderr } = await new Program("start", [
    "--ports=auto",
    `--page-port=${port}`,
    `--data=${data}`,
  ]).ended;
  t.equal(code, 1);
  t.equal(stdout, "");
  t.match(stderr, `start: port ${port} for the agent's page is in use\n`);
  t.match(stderr, /\n {2}try: .*--page-port N\n {2}try: --ports auto, .*\n$/);
  t.notOk(existsSync(join(data, "agent")) || existsSync(join(data, "cloud")));
});

t.test("A wrong configuration is told with its place, exit code 78; wrong usage with 2", async (t) => {
  const config = join(t.testdir({ "c.yaml": "version: 1\ngateway: { idd: x }\n" }), "c.yaml");
  const wrong = await new Program("start", ["--config", config]).ended;
  t.equal(wrong.code, 78);
  t.match(wrong.stderr, /c\.yaml:2:\d+/);
  const usage = await new Program("start", ["--rates", "4"]).ended;
  t.equal(usage.code, 2);
  t.match(usage.stderr, /^start: Unknown argument: rates/);
});
