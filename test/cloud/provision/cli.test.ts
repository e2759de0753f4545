/** The command itself: usage, what it says, what it ends with. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { parseOptions } from "../../../cloud/provision/options.ts";
import { Program } from "../../helpers/program.ts";
import { FakeAws } from "./fake-aws.ts";

async function fakeAws(t: Test): Promise<{ aws: FakeAws; env: NodeJS.ProcessEnv }> {
  const aws = new FakeAws();
  aws.deploy("windfarm-dev-pipeline", {
    StreamName: "windfarm-readings",
    Region: "us-east-1",
    GatewayRoleAlias: "windfarm-dev-gateway",
    GatewayPolicy: "windfarm-dev-gateway",
  });
  const env = {
    AWS_ENDPOINT_URL: await aws.start(),
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
  };
  t.teardown(() => aws.stop());
  return { aws, env };
}

t.test("it onboards, says so again as JSON with nothing to do, and takes back", async (t) => {
  const { aws, env } = await fakeAws(t);
  const out = join(t.testdir(), "gw-01");
  const provision = (...args: string[]) =>
    new Program("provision", ["--gateway", "gw-01", "--out", out, ...args], { env }).ended;

  const first = await provision();
  t.equal(first.code, 0, first.stderr);
  t.match(first.stdout, `gw-01 (dev): ready in ${out}`);
  t.match(first.stderr, "provision: did activate the certificate");
  t.notMatch(
    first.stdout + first.stderr,
    readFileSync(join(out, "private.key"), "utf8").split("\n")[1],
    "no key is shown",
  );

  const second = await provision("--json");
  t.same(JSON.parse(second.stdout), {
    gateway: "gw-01",
    stage: "dev",
    dryRun: false,
    steps: [],
    folder: out,
  });

  const dry = await provision("--revoke", "--dry-run");
  t.match(dry.stdout, /^gw-01 \(dev\): would\n {2}deactivate the certificate/);
  t.equal(aws.things.size, 1);

  const revoked = await provision("--revoke");
  t.match(revoked.stdout, "identity taken back\n  Credentials it already got open nothing within seconds");
  t.equal(aws.things.size, 0);

  const again = await provision("--revoke");
  t.match(again.stdout, "nothing to do: there is no such gateway in this account and region");
});

t.test("a gateway of another stage is not revoked", async (t) => {
  const { aws, env } = await fakeAws(t);
  aws.things.set("gw-01", { farm: "windfarm-dev" });
  const args = ["--gateway", "gw-01", "--stage", "prod", "--revoke"];
  const { code, stderr } = await new Program("provision", args, { env }).ended;
  t.equal(code, 1);
  t.match(stderr, "provision: gw-01 is here a gateway of windfarm-dev, not of windfarm-prod\n  try: ");
  t.equal(aws.things.size, 1);
});

t.test("wrong usage is one clear line and exit code 2", async (t) => {
  const wrong: [string[], string | RegExp][] = [
    [[], "Missing required argument: gateway"],
    [["--gateway", "gw.01"], `"gw.01" can't be a gateway's name: letters, digits, _ and -`],
    [["--gateway", "gw-01", "--stage", "staging"], /stage.*"staging".*"dev", "prod"/],
    [["--gateway", "gw-01", "--dryrun"], "Unknown argument: dryrun"],
    [["--gateway", "gw-01", "--site", "two words"], `"two words" can't be a site`],
    [
      ["--gateway", "gw-01", "--gateways", "list.csv"],
      "Arguments gateway and gateways are mutually exclusive",
    ],
    [["--gateway", "gw-01", "--rotate", "--revoke"], "--rotate, --finish and --revoke are three commands"],
    [["--gateways", "list.csv", "--csr", "gw.csr"], "--csr answers one gateway's request"],
  ];
  for (const [args, message] of wrong) {
    await t.rejects(parseOptions(args), { message, exitCode: 2, hint: "npm run provision -- --help" });
  }
  const { code, stderr, stdout } = await new Program("provision", ["--stage", "dev"]).ended;
  t.equal(code, 2);
  t.match(
    stderr,
    "provision: Missing required argument: gateway, or gateways for a list of many\n  try: npm run provision -- --help\n",
  );
  t.equal(stdout, "");
});

t.test("a gateway's request names it, and names no other", async (t) => {
  const csr = ["--csr", "test/cloud/provision/fixtures/gw-01.csr"];
  const named = await parseOptions(csr);
  t.same(named?.order.gateways, [{ gateway: "gw-01", site: "farm" }]);
  t.match(named?.order.folderOf("gw-01"), /data\/gateways\/dev\/gw-01$/);
  await t.rejects(parseOptions([...csr, "--gateway", "gw-02"]), {
    message: "the request is that of gw-01, not of gw-02",
    exitCode: 2,
  });
});

t.test("refused by AWS it says what role is needed, and exits 1", async (t) => {
  const { aws, env } = await fakeAws(t);
  aws.failOnce = { call: "GET /things", error: "AccessDeniedException" };
  const { code, stderr } = await new Program("provision", ["--gateway", "gw-01", "--out", t.testdir()], {
    env,
  }).ended;
  t.equal(code, 1);
  t.match(stderr, "AccessDeniedException");
  t.match(
    stderr,
    "try: Use a role that may read CloudFormation stacks, manage IoT things and certificates, and, to revoke, ",
  );
  t.notMatch(stderr, /\n\s+at /, "no stack trace");
});
