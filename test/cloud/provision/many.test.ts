/** Lists of gateways: read whole or refused, done again without harm, taken back together. */

import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { readList } from "../../../cloud/provision/list.ts";
import { scene, shutOut } from "./scene.ts";

const NAMES = Array.from({ length: 12 }, (_, index) => `gw-${String(index + 1).padStart(2, "0")}`);

function listIn(t: Test, text: string): string {
  const file = join(t.testdir(), "list.csv");
  writeFileSync(file, text);
  return file;
}

t.test("a list is read with its sites, whatever program wrote it", async (t) => {
  const file = listIn(t, '\uFEFFGateway,Site\r\ngw-01,north\r\n\r\n "gw-02" , "a,b"\r\ngw-03,\r\n');
  t.same(await readList(file, "farm"), [
    { gateway: "gw-01", site: "north" },
    { gateway: "gw-02", site: "a,b" },
    { gateway: "gw-03", site: "farm" },
  ]);
  t.same(await readList(listIn(t, "gateway\ngw-01"), "farm"), [{ gateway: "gw-01", site: "farm" }]);
});

t.test("a list with anything wrong in it is refused as a whole, with the line", async (t) => {
  const wrong: [string, string][] = [
    [
      "gateway,site\ngw-01,a\ngw-02,b\ngw-01,c\n",
      "list.csv:4: gw-01 stands in line 2 already; each gateway once",
    ],
    ["gateway\ngw 01\n", `list.csv:2: "gw 01" can't be a gateway's name`],
    ["gateway,site\ngw-01,two words\n", `list.csv:2: "two words" can't be a site`],
    ["gateway\ngw-01,north\n", "list.csv:2: 2 columns, the first line has 1"],
    ["gw-01\ngw-02\n", `list.csv:1: the first line must be "gateway" or "gateway,site"`],
    ["gateway,site\n\n", "list.csv:1: no gateway follows"],
    ["", "list.csv:1: the first line must be"],
    [`gateway,site\ngw-01,"north\n`, "list.csv:2: "],
  ];
  for (const [text, message] of wrong) {
    const refused = { code: "provision.list", message: new RegExp(literally(message)) };
    await t.rejects(readList(listIn(t, text), "farm"), refused, JSON.stringify(text));
  }
  await t.rejects(readList(join(t.testdir(), "none.csv"), "farm"), {
    code: "provision.list",
    message: /ENOENT/,
  });
});

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

t.test("many are onboarded with a word for each, and once more nothing is done", async (t) => {
  const { aws, all, runMany } = await scene(t);
  const finished: string[] = [];
  await runMany(NAMES, {}, { finished: (gateway) => finished.push(gateway) });
  t.same(finished.toSorted(), NAMES);
  t.same([...aws.things.keys()].toSorted(), NAMES);
  for (const name of NAMES) t.ok(existsSync(join(all, name, "gateway.json")), name);
  const before = aws.changes.length;
  const again = await runMany(NAMES);
  t.same(
    again.map(({ gateway, steps }) => [gateway, steps.length]),
    NAMES.map((name) => [name, 0]),
  );
  t.equal(aws.changes.length, before);
});

t.test("cut off among them, the rest is done by the same command, and nothing twice", async (t) => {
  const { aws, runMany } = await scene(t);
  aws.failOnce = { call: "PUT /things/gw-07", error: "InternalFailureException" };
  await t.rejects(runMany(NAMES));
  t.ok(aws.things.size < NAMES.length, "it stopped there");
  await runMany(NAMES);
  const active = [...aws.certificates.values()].filter(({ status }) => status === "ACTIVE");
  t.equal(active.length, NAMES.length, "one working certificate each");
});

t.test("one that can't be served costs nothing: nothing is changed for any", async (t) => {
  const { aws, runMany } = await scene(t);
  aws.things.set("gw-09", { farm: "other-dev" });
  await t.rejects(runMany(NAMES), { code: "provision.other_farm", message: /gw-09/ });
  t.same(aws.changes, []);
});

t.test("many are taken back, and shut out together", async (t) => {
  const { aws, runMany } = await scene(t);
  await runMany(NAMES);
  const ids = [...aws.certificates.keys()];
  await runMany(NAMES, { action: "revoke" });
  t.equal(aws.things.size, 0);
  t.equal(aws.certificates.size, 0);
  t.same(shutOut(aws).toSorted(), ids.toSorted());
});

t.test(
  "a list to revoke with unknown names is refused before anything is changed, or done without them",
  async (t) => {
    const { aws, runMany } = await scene(t);
    await runMany(NAMES.slice(0, 3));
    const before = aws.changes.length;
    await t.rejects(runMany(["gw-01", "gw-1", "gw-2"], { action: "revoke" }), {
      code: "provision.unknown_gateway",
      message: "2 of 3 gateways are not in windfarm-dev: gw-1, gw-2; nothing was changed",
      hint: /--known-only/,
    });
    t.equal(aws.changes.length, before);
    await runMany(["gw-01", "gw-1", "gw-2"], { action: "revoke", knownOnly: true });
    t.same([...aws.things.keys()], ["gw-02", "gw-03"]);
  },
);

t.test("entries go when credentials have ended, and what others wrote stays", async (t) => {
  const { aws, clock, runMany } = await scene(t);
  const policy = "windfarm-dev-pipeline-GatewayRole/revoked-certificates";
  const mine = { Sid: "Mine", Effect: "Deny", Action: "s3:*", Resource: "*" };
  aws.rolePolicies.set(
    policy,
    JSON.stringify({ Version: "2012-10-17", Statement: mine === undefined ? [] : [mine] }),
  );
  await runMany(NAMES);
  const idOf = (name: string) =>
    [...aws.certificates.values()].find(({ things }) => things.has(name))?.id ?? "none";
  const [first, second, third] = [idOf("gw-01"), idOf("gw-02"), idOf("gw-03")];
  const sids = (): string[] =>
    JSON.parse(aws.rolePolicies.get(policy) ?? "").Statement.map(({ Sid }: { Sid: string }) => Sid);
  const shut = (): string[] =>
    [first, second, third].filter((id) => aws.rolePolicies.get(policy)?.includes(id));

  await runMany(["gw-01"], { action: "revoke" });
  t.same(sids(), ["Nobody", "Mine", "Until20261129T130500Z"]);
  clock.ms += 59 * 60_000;
  await runMany(["gw-02"], { action: "revoke" });
  t.same(shut(), [first, second], "an hour is not over");
  clock.ms += 10 * 60_000;
  await runMany(["gw-03"], { action: "revoke" });
  t.same(shut(), [second, third]);
  clock.ms += 24 * 3_600_000;
  await runMany(["gw-01"], { action: "revoke" });
  t.same(sids(), ["Nobody", "Mine"], "also where nothing is left to revoke");
});

t.test("more than the role's policy holds are refused before anything is changed", async (t) => {
  const { aws, runMany } = await scene(t);
  const many = Array.from({ length: 130 }, (_, index) => `gw-${index}`);
  await runMany(many);
  const before = aws.changes.length;
  await t.rejects(runMany(many, { action: "revoke" }), {
    code: "provision.no_room",
    message: /130 certificates .* has room for 11\d more/,
    hint: /destroy its pipeline stack first/,
  });
  t.equal(aws.changes.length, before);
  await runMany(many.slice(0, 110), { action: "revoke" });
  t.ok(
    [...aws.rolePolicies.values()].every((text) => text.length < 10_240 - 1_500),
    "the role's own policy has room",
  );
  aws.roleAliases.clear();
  await runMany(many.slice(110), { action: "revoke" });
  t.equal(aws.things.size, 0, "without the role nothing has to be shut out");
});
