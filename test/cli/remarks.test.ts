import { readFileSync } from "node:fs";
import t from "tap";
import { remarksOn, summaryOf } from "../../agent/cli/remarks.ts";
import { parseConfig } from "../../agent/config/parse.ts";

const minimal = readFileSync("test/cases/config/minimal/agent.config.yaml", "utf8");

/** Of the minimal configuration with one line replaced. */
function configWith(line: string, other: string) {
  return parseConfig("test", Buffer.from(minimal.replace(line, other)), {}).config;
}

t.test("what a configuration means is one sentence", async (t) => {
  const config = configWith("listen: mqtt://127.0.0.1:1883", "connect: mqtts://broker:8883");
  t.equal(
    summaryOf(config),
    "gw-01 collects from mqtts://broker:8883, keeps up to 2.0 GiB in buffer.db, ships to windfarm-readings (us-east-1).",
  );
});

t.test("what may not be meant is remarked on", async (t) => {
  const remarks: [string, string, RegExp][] = [
    ["", "", /^mqtt\.listen is on loopback/],
    [
      "listen: mqtt://127.0.0.1:1883",
      "listen: mqtt://0.0.0.0\n  users_file: users",
      /passwords and readings cross/,
    ],
    [
      "listen: mqtt://127.0.0.1:1883",
      "connect: mqtt://b\n  username: a\n  password: b",
      /the password crosses/,
    ],
    [
      "us-east-1",
      "us-east-1\n  endpoint: http://127.0.0.1:4567",
      /go to http:\/\/127\.0\.0\.1:4567 and not to AWS/,
    ],
    ["", "", /the default AWS chain must find some/],
    [
      "path: buffer.db",
      "path: buffer.db\n  on_full: drop_oldest",
      /readings that were acknowledged are lost/,
    ],
  ];
  for (const [line, other, remark] of remarks) {
    const found = remarksOn(configWith(line, other)).filter((one) => remark.test(one));
    t.equal(found.length, 1, String(remark));
  }
});

t.test("an encrypted way with an identity of its own needs no remark", async (t) => {
  const text = minimal
    .replace("listen: mqtt://127.0.0.1:1883", "connect: mqtts://broker\n  username: a\n  password: b")
    .concat("  credentials: { static: { access_key_id: a, secret_access_key: b } }\n");
  t.same(remarksOn(parseConfig("test", Buffer.from(text), {}).config), []);
});
