/**
 * Clients with a certificate that vanish at every byte of the handshake and of their CONNECT; and a clock that steps hours forth and
 * back over ten minutes while clients with wills are connected. The agent lives, and publishes no will of a client that lives.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connectAsync } from "mqtt";
import t from "tap";
import { AgentProcess } from "../../helpers/agent-process.ts";
import { startKinesisStub } from "../../helpers/kinesis-stub.ts";
import { identity, vanishAt } from "./strangers.ts";

const FIXTURES = join(import.meta.dirname, "..", "..", "ship", "fixtures");
const TOPIC = "windfarm/T07/power-factor";
const READING = '{"id":"V","data":1,"date":"2026-11-22T12:00:00.000Z"}';
/** Every so manieth byte. */
const EVERY = Number(process.env.EVERY_BYTE ?? 1);
const AT_ONCE = 8;
/** How many vanish when they have said all. */
const RIGHT_AFTER = 160;

const stub = await startKinesisStub({ keep: false });
t.teardown(() => stub.outage());

async function start(preload: readonly string[]): Promise<AgentProcess> {
  const folder = t.testdir();
  writeFileSync(join(folder, "users"), "users:\n  - { name: gw-01, publish: [windfarm/T07/+] }\n");
  const tls = `cert_file: ${FIXTURES}/server.pem, key_file: ${FIXTURES}/server.key, ca_file: ${FIXTURES}/ca.pem`;
  const mqtt = `users_file: ${join(folder, "users")}, tls: { ${tls} }`;
  return await AgentProcess.start({ folder, mqtt, scheme: "mqtts", preload, endpoint: stub.endpoint });
}

const own = identity(FIXTURES);
const sensor = (port: number, will: string | undefined) =>
  connectAsync(`mqtts://localhost:${port}`, {
    ...own,
    reconnectPeriod: 0,
    ...(will === undefined
      ? {}
      : { will: { topic: TOPIC, payload: Buffer.from(will), qos: 1, retain: false } }),
  });

t.test("clients that vanish at every byte of the handshake and the CONNECT", async (t) => {
  const agent = await start([]);
  t.teardown(() => agent.stop());
  const good = await sensor(agent.port, undefined);
  let cut = 0;
  let more = true;
  while (more && agent.running) {
    const cuts = Array.from({ length: AT_ONCE }, (_, n) => cut + n * EVERY);
    for (const how of ["end", "resetAndDestroy"] as const)
      more = (await Promise.all(cuts.map((at) => vanishAt(agent.port, own, at, how)))).every(Boolean);
    cut += AT_ONCE * EVERY;
    await good.publishAsync(TOPIC, READING, { qos: 1 });
  }
  for (let times = 0; times < RIGHT_AFTER && agent.running; times += AT_ONCE) {
    const how = times % (2 * AT_ONCE) === 0 ? "end" : "resetAndDestroy";
    await Promise.all(Array.from({ length: AT_ONCE }, () => vanishAt(agent.port, own, cut, how)));
  }
  t.ok(agent.running, `the agent lives after ${cut} bytes`);
  t.ok(cut > 1000, "the handshake was gone through to its end");
  t.strictSame(
    agent.log.filter(({ level }) => level === "error" || level === "fatal"),
    [],
  );
  await good.endAsync();
});

t.test("a clock that steps hours in both directions, over ten minutes", async (t) => {
  const agent = await start([join(import.meta.dirname, "clock.cjs")]);
  t.teardown(() => agent.stop());
  const clients = await Promise.all([1, 2, 3].map(() => sensor(agent.port, "the will of one that lives")));
  for (let second = 0; second < 11 && agent.running; second++) {
    await pause(1000);
    for (const client of clients) await client.publishAsync(TOPIC, READING, { qos: 1 });
  }
  t.ok(agent.running, "the agent lives");
  t.ok(
    clients.every(({ connected }) => connected),
    "nobody was thrown out",
  );
  const { rejected, received } = await agent.status();
  t.equal(rejected, 0, "no will was published");
  t.equal(received, 33);
  for (const client of clients) await client.endAsync();
});
