import t from "tap";
import { probeBroker, QUEUE_TRIAL } from "../../agent/collect/probe.ts";
import { scriptedBroker, settingsFor, startAedes } from "./subscriber-helpers.ts";

t.test("a broker that keeps what it gets passes every check, and nothing is left behind", async (t) => {
  const { broker, port, close } = await startAedes();
  const topics = new Set<string>();
  broker.on(
    "publish",
    (packet, client) => client && topics.add(packet.topic.split("/").slice(0, 2).join("/")),
  );
  const lastWasClean = new Map<string, boolean>();
  broker.on("client", ({ id, clean }) => lastWasClean.set(id, clean));
  const checks = await probeBroker(settingsFor(port));
  t.strictSame(
    checks.map(({ ok, message }) => [ok, message]),
    [
      [true, `the broker mqtt://127.0.0.1:${port} accepts the agent`],
      [true, "it grants QoS 1 on windfarm/+/+"],
      [true, "it keeps the agent's session while the agent is away"],
      [true, `it keeps readings while the agent is away: all ${QUEUE_TRIAL} of a trial`],
    ],
  );
  t.match(checks.at(-1)?.hint, /persistence/);
  t.strictSame([...topics], ["windfarm/_check"], "nothing was published where readings are");
  t.equal(lastWasClean.size, 2, "one id for the session, one for the publisher, neither the agent's");
  t.notOk(lastWasClean.has("windfarm-gw-01"));
  t.ok(
    [...lastWasClean.values()].every(Boolean),
    "a clean connection was the last: no session waits for anybody",
  );
  await close();
});

t.test("a broker that is away is one failed check", async (t) => {
  const { port, close } = await startAedes();
  await close();
  const checks = await probeBroker(settingsFor(port));
  t.match(checks, [{ ok: false, message: /ECONNREFUSED/, hint: String }]);
  t.equal(checks.length, 1);
});

t.test("wrong credentials are one failed check", async (t) => {
  const { broker, port, close } = await startAedes();
  broker.authenticate = (_client, _username, _password, done) => done(null, false);
  t.match(await probeBroker(settingsFor(port)), [{ ok: false, message: /refused/, hint: /mqtt\.password/ }]);
  await close();
});

t.test("an access list that hides the readings or forbids the trial is told", async (t) => {
  const { broker, port, close } = await startAedes();
  broker.authorizeSubscribe = (_client, subscription, done) =>
    done(null, subscription.topic === "windfarm/+/+" ? null : subscription);
  t.match(await probeBroker(settingsFor(port)), [
    { ok: true },
    { ok: false, message: /does not allow the subscription to windfarm\/\+\/\+/, hint: /access list/ },
    { ok: true },
    { ok: true },
  ]);
  broker.authorizeSubscribe = (_client, subscription, done) =>
    done(null, subscription.topic === "windfarm/+/+" ? subscription : null);
  t.match(await probeBroker(settingsFor(port)), [
    { ok: true },
    { ok: true },
    { ok: false, message: /was not measured: the agent's user may not subscribe/, hint: /docs\/mosquitto/ },
  ]);
  await close();
});

t.test("a session that is forgotten is told", async (t) => {
  const { broker, port, close } = await startAedes();
  broker.preConnect = (_client, packet, done) => {
    packet.clean = true;
    done(null, true);
  };
  const checks = await probeBroker(settingsFor(port));
  t.match(checks.at(-1), { ok: false, message: /forgets the agent's session/ });
  await close();
});

t.test("a port that says nothing is given up", async (t) => {
  const broker = await scriptedBroker();
  const checks = await probeBroker(settingsFor(broker.port, { connectTimeoutMs: 50 }));
  t.match(checks, [{ ok: false, message: /within 50 ms/ }]);
  await broker.close();
});

t.test("settings that can't be meant are a failed check", async (t) => {
  t.match(await probeBroker(settingsFor(1, { url: "broker" })), [{ ok: false, message: /no URL/ }]);
});
