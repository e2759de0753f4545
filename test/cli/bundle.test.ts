/** A support archive tells a helper what is needed, and nothing that opens anything. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { gatherBundle } from "../../agent/cli/bundle/gather.ts";
import { packBundle } from "../../agent/cli/bundle/pack.ts";
import { secretsIn, withoutSecrets } from "../../agent/cli/bundle/secrets.ts";
import { clockFinding } from "../../agent/cli/doctor/clock.ts";
import { loadConfig } from "../../agent/config/load.ts";
import { freePorts } from "../../deploy/local/ports.ts";
import { startKinesisStub } from "../helpers/kinesis-stub.ts";
import { Program } from "../helpers/program.ts";

t.test("the archive of a running agent", async (t) => {
  const stub = await startKinesisStub();
  t.teardown(() => stub.outage());
  const [page = 0] = await freePorts(1);
  const config = [
    "version: 1",
    "gateway: { id: gw-b }",
    'mqtt: { listen: "mqtt://127.0.0.1:0" }',
    "buffer: { path: state/buffer.db, ballast: 0B }",
    `kinesis: { region: us-east-1, endpoint: "${stub.endpoint}",`,
    "  credentials: { static: { access_key_id: AKIAIOSFODNN7EXAMPLE, secret_access_key_file: aws.secret } } }",
    `status: { listen: "http://127.0.0.1:${page}" }`,
    "",
  ].join("\n");
  const folder = t.testdir({ "agent.config.yaml": config, "aws.secret": "wJalrXUtnFEMI" });
  const agent = new Program("windfarm", ["run"], { cwd: folder });
  t.teardown(() => agent.kill("SIGKILL"));
  await agent.says("collects for gw-b");

  const { code, stdout, stderr } = await new Program("windfarm", ["bundle", "--out", "b.tar.gz"], {
    cwd: folder,
  }).ended;
  t.same([code, stderr], [0, ""], stdout);
  const archive = join(folder, "b.tar.gz");
  t.equal(statSync(archive).mode & 0o777, 0o600);
  const names = execFileSync("tar", ["-tzf", archive], { encoding: "utf8" });
  for (const name of [
    "agent.config.yaml",
    "doctor.json",
    "status.json",
    "metrics.txt",
    "journal.txt",
    "disk.txt",
  ])
    t.ok(names.includes(`b/${name}\n`), name);
  const all = execFileSync("tar", ["-xOzf", archive], { encoding: "utf8" });
  for (const secret of ["wJalrXUtnFEMI", "AKIAIOSFODNN7EXAMPLE"]) t.notOk(all.includes(secret), secret);
  t.match(all, /"gateway":"gw-b"/);
});

t.test("a wrong configuration is told by its problems, not by its text", async (t) => {
  const folder = t.testdir({ "agent.config.yaml": "version: 1\npasword: hunter-two\n" });
  const { code } = await new Program("windfarm", ["bundle", "--out", "b.tar.gz"], { cwd: folder }).ended;
  t.equal(code, 0);
  const all = execFileSync("tar", ["-xOzf", join(folder, "b.tar.gz")], { encoding: "utf8" });
  t.notOk(all.includes("hunter-two"));
  t.match(all, /pasword is not a setting/);
});

t.test("secrets are found wherever they got into", (t) => {
  const dirty = [
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----",
    "via http://user:pass@proxy:3128",
    "via http://user:p@leak/'one@proxy:3129",
    'via http://user:p"leak@proxy:3131',
    'Nov 30 vm windfarm[1]: {"proxy":"http://user:p\\"leak@proxy:3132","hint":"mail:c@d.example"}',
    '{"proxy":"http://user:p\\"leak@two@proxy:3130","hint":"mail a@b.example"}',
    "password: $7$20000$AAAAAAAAAAAAAAAA$BBBBBBBBBBBBBBBBBBBBBBBB==",
    "ASIAIOSFODNN7EXAMPLE",
  ].join("\n");
  const clean = withoutSecrets(dirty, []);
  for (const secret of ["MHcC", "pass@", "leak", "AAAAAAAA", "ASIA"]) t.notOk(clean.includes(secret), secret);
  for (const rest of [
    ...["@proxy:3128", "@proxy:3129", "@proxy:3131", '@proxy:3130","hint":"mail a@b.example"'],
    '@proxy:3132","hint":"mail:c@d.example"',
  ])
    t.ok(clean.includes(rest), rest);
  const file = join(t.testdir({}), "c.yaml");
  writeFileSync(
    file,
    "version: 1\ngateway: { id: g }\nmqtt: { connect: 'mqtt://b:1883', username: u, password: pwpw }\nbuffer: { path: ./b.db }\nkinesis: { region: eu-west-1 }\n",
  );
  t.same(secretsIn(loadConfig(file), {}), ["pwpw"]);
  t.end();
});

t.test("the password of a proxy is a secret in every form it may have", (t) => {
  const secrets = secretsIn(undefined, {
    HTTPS_PROXY: 'http://user:p%40ss "w@rd@proxy:3128',
    http_proxy: "http://u@proxy",
  });
  const dirty = [
    'it was p%40ss "w@rd',
    'p@ss "w@rd',
    JSON.stringify({ a: 'p@ss "w@rd' }),
    "for u@proxy",
  ].join("\n");
  const clean = withoutSecrets(dirty, secrets);
  t.notMatch(clean, /w@rd/);
  t.match(clean, "for u@proxy");
  t.same(secretsIn(undefined, { https_proxy: "user:geheim@proxy:3128" }).at(0), "geheim", "without a scheme");
  t.end();
});

t.test("an archive that can't be written is told with what to try", async (t) => {
  const { code, stderr } = await new Program("windfarm", ["bundle", "--out", "/nowhere/b.tar.gz"]).ended;
  t.equal(code, 2);
  t.match(stderr, /^windfarm: there is no folder \/nowhere\n {2}try: /);
});

t.test("where no program can be begun the bundle says so, and has the rest", async (t) => {
  const file = join(t.testdir({ "agent.config.yaml": "version: 1\n" }), "agent.config.yaml");
  t.teardown(() => delete process.env.WINDFARM_TEST_LONG);
  // More than the kernel passes to a program (execve(2), E2BIG): Node.js throws at once, as for want of memory.
  process.env.WINDFARM_TEST_LONG = "x".repeat(256 * 1024);
  t.match(await clockFinding(undefined), {
    state: "ok",
    message: "The clock is right as far as can be seen",
  });
  const { documents } = await gatherBundle(file);
  const textOf = (name: string) => documents.find((document) => document.name === name)?.text;
  t.match(textOf("disk.txt"), /^df: .*E2BIG/);
  t.match(textOf("configuration-problems.txt"), /agent\.config\.yaml/);
});

t.test("what is there already is left alone, also behind a link", (t) => {
  const folder = t.testdir({ "notes.txt": "mine" });
  const [notes, link] = [join(folder, "notes.txt"), join(folder, "b.tar.gz")];
  symlinkSync(notes, link);
  for (const file of [notes, link]) {
    const expected = { code: "cli.file", exitCode: 2, message: `${file} is there already`, hint: /--out/ };
    t.throws(() => packBundle([{ name: "a.txt", text: "a" }], file), expected);
  }
  t.equal(readFileSync(notes, "utf8"), "mine");
  t.end();
});

t.test("nothing is left of an archive that could not be finished", (t) => {
  const archive = join(t.testdir({}), "b.tar.gz");
  const { PATH } = process.env;
  t.teardown(() => Object.assign(process.env, { PATH }));
  // Nowhere to find tar.
  process.env.PATH = "/nowhere";
  t.throws(() => packBundle([{ name: "a.txt", text: "a" }], archive), {
    code: "bundle.tar",
    message: `${archive} could not be written: tar can't be run (ENOENT)`,
  });
  t.notOk(existsSync(archive));
  t.end();
});
