/** The users file changes while the broker runs. */

import { once } from "node:events";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { hashPassword } from "../../agent/collect/passwords.ts";
import { startBroker } from "../helpers/embedded-broker.ts";
import { WireClient } from "../helpers/mqtt-wire.ts";

const SECRET = await hashPassword("secret");
const OTHER = await hashPassword("other");

interface Entry {
  password?: string;
  publish?: string;
}
const text = (users: Readonly<Record<string, Entry>>) =>
  [
    "users:",
    ...Object.entries(users).map(
      ([name, { password = SECRET, publish = "windfarm/#" }]) =>
        `  - { name: ${name}, password: ${password}, publish: ["${publish}"] }`,
    ),
  ].join("\n");

const as = (username: string, password = "secret") => ({
  clientId: `client of ${username}`,
  username,
  password: Buffer.from(password),
});

async function start(t: Test, users: Readonly<Record<string, Entry>>) {
  const file = join(t.testdir(), "users");
  writeFileSync(file, text(users));
  return { ...(await startBroker(t, { usersFile: file }, true)), file };
}

const returnCode = ({ received: [first] }: WireClient) =>
  first?.cmd === "connack" ? first.returnCode : undefined;

t.test("connections of users that are gone or changed are closed, the others stay", async (t) => {
  const before = { kept: {}, removed: {}, renewed: {}, moved: {} };
  const { broker, file, port } = await start(t, before);
  const clients: Record<string, WireClient> = {};
  for (const name of Object.keys(before)) clients[name] = await WireClient.connected(port, as(name));
  writeFileSync(
    file,
    text({ renewed: { password: OTHER }, moved: { publish: "other/#" }, kept: {}, added: {} }),
  );
  broker.reload();
  for (const name of ["removed", "renewed", "moved"]) await clients[name]?.closed();
  await clients.kept?.ping();
  t.strictSame(broker.stats().closedConnections, { user_changed: 3 });
  const after: [string, string | undefined, number][] = [
    ["added", undefined, 0],
    ["removed", undefined, 5],
    ["renewed", "secret", 5],
    ["renewed", "other", 0],
  ];
  for (const [name, password, code] of after) {
    const client = await WireClient.connected(port, as(name, password));
    t.equal(returnCode(client), code, `${name} ${password}`);
  }
});

t.test("a file that became unreadable or wrong keeps the users of before, and says so", async (t) => {
  const { broker, file, log, port } = await start(t, { t07: {} });
  const client = await WireClient.connected(port, as("t07"));
  writeFileSync(file, "users:\n  - nam: t07\n");
  broker.reload();
  rmSync(file);
  broker.reload();
  await client.ping();
  t.equal(returnCode(await WireClient.connected(port, as("t07"))), 0);
  t.match(log, [
    { level: 40, code: "mqtt.users_file", msg: /users stay as they were.*users:2:5: / },
    { level: 40, code: "mqtt.users_file", msg: /users stay as they were.*can't read/ },
  ]);
});

t.test("a file that is replaced is seen without being told", async (t) => {
  const { file, port } = await start(t, { t07: {} });
  const client = await WireClient.connected(port, as("t07"));
  writeFileSync(`${file}.new`, text({ t08: {} }));
  const closed = once(client.socket, "close");
  renameSync(`${file}.new`, file);
  await closed;
  t.equal(returnCode(await WireClient.connected(port, as("t08"))), 0);
});

t.test("a file that changes while the broker starts is seen too", async (t) => {
  const file = join(t.testdir(), "users");
  writeFileSync(file, text({ t07: {} }));
  const starting = startBroker(t, { usersFile: file });
  // It was read, and nothing listens yet.
  writeFileSync(file, text({ t08: {} }));
  const { port } = await starting;
  const client = await WireClient.connected(port, as("t07"));
  t.equal(returnCode(client), 0);
  await client.closed();
  t.equal(returnCode(await WireClient.connected(port, as("t08"))), 0);
});

t.test("the last will of a user who is removed is void", async (t) => {
  const { broker, intake, file, port } = await start(t, { removed: {}, kept: {} });
  const will = {
    topic: "windfarm/T07/power-factor",
    payload: Buffer.from("last"),
    qos: 1 as const,
    retain: false,
  };
  const removed = await WireClient.connected(port, { ...as("removed"), will });
  const kept = await WireClient.connected(port, as("kept"));
  writeFileSync(file, text({ kept: {} }));
  broker.reload();
  await removed.closed();
  kept.publish("windfarm/T07/power-factor", "after", 1);
  await kept.until(() => kept.ids("puback").length === 1);
  t.strictSame(
    intake.taken.map(({ payload }) => payload),
    ["after"],
  );
});
