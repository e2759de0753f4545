import { readFile } from "node:fs/promises";
import { join } from "node:path";
import t, { type Test } from "tap";
import { Program } from "../helpers/program.ts";
import { TestBroker } from "../helpers/test-broker.ts";

async function startBroker(t: Test): Promise<TestBroker> {
  const broker = new TestBroker();
  await broker.start();
  t.teardown(() => broker.stop());
  return broker;
}

t.test("The program sends what was asked for, keeps the ledger, and sums up as JSON", async (t) => {
  const broker = await startBroker(t);
  const ledger = join(t.testdir(), "ledger.ndjson");
  const args = ["--turbines", "2", "--rate", "500", "--count", "50", "--json", "--broker", broker.url];
  const { code, stdout } = await new Program("simulate", [...args, "--ledger", ledger]).ended;
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { made: 300, published: 300, acknowledged: 300, unacknowledged: 0 });
  const lines = (await readFile(ledger, "utf8")).trimEnd().split("\n");
  t.equal(lines.length, 300);
  t.equal(new Set(lines).size, 300);
  for (const line of lines.slice(0, 10)) {
    t.match(JSON.parse(line), { id: /^P/, data: Number, type: /./, date: /Z$/, turbine: /^T0[12]$/ });
  }
});

t.test("The same seed gives the same history, byte for byte", async (t) => {
  const sent = async (seed: string) => {
    const broker = await startBroker(t);
    const args = [
      "--turbines",
      "1",
      "--rate",
      "1000",
      "--count",
      "30",
      "--from",
      "2026-11-22",
      "--step",
      "1m",
    ];
    await new Program("simulate", [...args, "--seed", seed, "--broker", broker.url]).ended;
    return broker.received.map(({ topic, payload }) => `${topic} ${payload}`);
  };
  const [first, again, other] = await Promise.all([sent("5"), sent("5"), sent("6")]);
  t.equal(first.length, 90);
  t.strictSame(again, first);
  t.notSame(other, first);
});

t.test("SIGINT stops the making, waits for acknowledgements, and sums up", async (t) => {
  const broker = await startBroker(t);
  const program = new Program("simulate", ["--turbines", "1", "--rate", "100", "--broker", broker.url]);
  await broker.until(() => broker.received.length >= 30);
  const { code, stdout } = await program.kill("SIGINT");
  t.equal(code, 0);
  t.match(
    stdout,
    /^made \d+ readings in [\d.]+ s; published \d+ messages; \d+ readings acknowledged, 0 not\n$/,
  );
});

t.test("A second signal ends it at once", async (t) => {
  const broker = await startBroker(t);
  broker.acknowledging = false;
  const program = new Program("simulate", [
    "--turbines",
    "1",
    "--rate",
    "100",
    "--drain",
    "1h",
    "--broker",
    broker.url,
  ]);
  await broker.until(() => broker.received.length >= 3);
  program.child.kill("SIGINT");
  while (program.running) {
    program.child.kill("SIGINT");
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal((await program.ended).code, 1);
});

t.test("A broker that can't be reached is one line, and exit code 1 in the end", async (t) => {
  const broker = await startBroker(t);
  const { url } = broker;
  await broker.stop();
  const args = ["--broker", url, "--for", "1s", "--drain", "0s", "--turbines", "5"];
  const { code, stdout, stderr } = await new Program("simulate", args).ended;
  t.equal(code, 1);
  t.match(stdout, /made 15 readings.*0 readings acknowledged, 15 not/);
  t.equal(stderr.trim().split("\n").length, 1, stderr);
  t.match(stderr, `can't reach ${url}: connect ECONNREFUSED`);
  const once = await new Program("simulate", ["--broker", url, "--once"]).ended;
  t.equal(once.code, 1);
  t.match(once.stderr, "giving up");
});

t.test("--help names every fault and the exit codes", async (t) => {
  const { code, stdout } = await new Program("simulate", ["--help"]).ended;
  t.equal(code, 0);
  for (const word of [
    "duplicates",
    "bad",
    "skew",
    "bursts",
    "silence",
    "out-of-range",
    "stuck",
    "Exit codes",
  ]) {
    t.match(stdout, word);
  }
});

t.test("Wrong usage is told in one line with a hint, exit code 2", async (t) => {
  const { code, stdout, stderr } = await new Program("simulate", ["--fault", "gremlins"]).ended;
  t.equal(code, 2);
  t.equal(stdout, "");
  t.match(stderr, /^simulate: unknown fault "gremlins"\n {2}try: known are duplicates, bad, .*\n$/);
});

t.test("A ledger that can't be written is wrong usage", async (t) => {
  const { code, stderr } = await new Program("simulate", ["--ledger", "/nowhere/x"]).ended;
  t.equal(code, 2);
  t.match(stderr, /^simulate: the ledger \/nowhere\/x can't be written: ENOENT.*\n {2}try: .*\n$/);
});

t.test("A ledger whose disk is full ends the sending, and says so", async (t) => {
  const broker = await startBroker(t);
  const args = ["--rate", "100", "--for", "60s", "--broker", broker.url, "--ledger", "/dev/full"];
  const { code, stderr } = await new Program("simulate", args).ended;
  t.equal(code, 1);
  t.match(stderr, /simulate: the ledger \/dev\/full is incomplete: ENOSPC.*\n {2}try: make room/);
});

t.test("Certificates of no use, options without a value and port 0 are wrong usage", async (t) => {
  const pem = (name: string) => `test/ship/fixtures/${name}`;
  const cases: [string[], RegExp][] = [
    [
      ["--cert", pem("device.pem"), "--key", pem("stranger.key")],
      /--cert and --key are of no use together \(key values mismatch\)/,
    ],
    [["--cert", pem("README.md"), "--key", pem("stranger.key")], /--cert and --key are of no use together/],
    [["--ca", pem("README.md")], /--ca holds no certificate/],
    [["--turbines"], /not enough arguments following: turbines/i],
    [["--broker", "mqtt://127.0.0.1:0"], /is not the address of a broker/],
  ];
  for (const [args, said] of cases) {
    const { code, stderr } = await new Program("simulate", args).ended;
    t.equal(code, 2, args.join(" "));
    t.match(stderr, said);
  }
});
