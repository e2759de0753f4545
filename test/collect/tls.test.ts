/** The embedded broker over TLS. The certificates are those of test/ship/fixtures: `ca` signed `server` and `device`, not `stranger`. */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { connectAsync, type IClientOptions } from "mqtt";
import { generate } from "mqtt-packet";
import t from "tap";
import type { BrokerTls } from "../../agent/collect/broker-settings.ts";
import { MAX_HANDSHAKES } from "../../agent/collect/listener.ts";
import { hashPassword } from "../../agent/collect/passwords.ts";
import { openSocket } from "../../agent/collect/subscriber-socket.ts";
import { startBroker } from "../helpers/embedded-broker.ts";

const FIXTURES = "test/ship/fixtures";
const TOPIC = "windfarm/T07/power-factor";
const file = (name: string) => join(FIXTURES, name);

const tls = (requireClientCertificate: boolean): BrokerTls => ({
  certFile: file("server.pem"),
  keyFile: file("server.key"),
  caFile: file("ca.pem"),
  requireClientCertificate,
});

function client(port: number, certificate?: string, options: IClientOptions = {}) {
  return connectAsync(`mqtts://localhost:${port}`, {
    reconnectPeriod: 0,
    ca: readFileSync(file("ca.pem")),
    ...(certificate === undefined
      ? {}
      : { cert: readFileSync(file(`${certificate}.pem`)), key: readFileSync(file(`${certificate}.key`)) }),
    ...options,
  });
}

/** Resolves when the server has hung up: its verdict on a certificate comes after the client's own part is done. */
async function turnedAway(port: number, certificate?: string): Promise<boolean> {
  const own =
    certificate === undefined
      ? {}
      : { cert: readFileSync(file(`${certificate}.pem`)), key: readFileSync(file(`${certificate}.key`)) };
  const socket = connectTls({ port, host: "localhost", ca: readFileSync(file("ca.pem")), ...own });
  socket.on("error", () => {});
  socket.resume();
  return await new Promise((resolve) => socket.once("close", () => resolve(true)));
}

t.test(
  "With a certificate of the authority a client publishes; without, or with another's, it does not get in",
  async (t) => {
    const { broker, intake, port } = await startBroker(t, { tls: tls(true) }, true);
    t.match(broker.url, /^mqtts:/);
    const device = await client(port, "device");
    await device.publishAsync(TOPIC, "over TLS", { qos: 1 });
    t.match(intake.taken, [{ topic: TOPIC, payload: "over TLS" }]);
    t.ok(await turnedAway(port), "no certificate");
    t.ok(await turnedAway(port, "stranger"), "nobody's certificate");
    while (broker.stats().closedConnections.tls !== 2) await new Promise(setImmediate);
    t.equal(broker.stats().connections, 1);
    await device.publishAsync(TOPIC, "still here", { qos: 1 });
    await device.endAsync();
  },
);

t.test(
  "A certificate stands for the user whose name it bears; a password still does where none is asked for",
  async (t) => {
    const name = "gw-01";
    const folder = t.testdir({
      users: [
        "users:",
        `  - name: ${name}`,
        "    publish: [windfarm/T07/+]",
        "  - name: panel",
        `    password: ${await hashPassword("secret")}`,
        "    publish: [windfarm/T08/+]",
      ].join("\n"),
    });
    const { broker, intake, port } = await startBroker(
      t,
      { tls: tls(false), usersFile: join(folder, "users") },
      true,
    );
    const device = await client(port, "device");
    await device.publishAsync(TOPIC, "by certificate", { qos: 1 });
    const panel = await client(port, undefined, { username: "panel", password: "secret" });
    await panel.publishAsync("windfarm/T08/power-factor", "by password", { qos: 1 });
    await t.rejects(client(port), /Not authorized/);
    await t.rejects(
      client(port, undefined, { username: name, password: "" }),
      /Not authorized/,
      "a name alone is nothing",
    );
    await t.rejects(client(port, "stranger"), /Not authorized/, "a certificate nobody signed is none");
    t.strictSame(
      intake.taken.map(({ payload }) => payload),
      ["by certificate", "by password"],
    );
    const closed = new Promise<void>((resolve) => device.once("close", () => resolve()));
    device.publish("windfarm/T08/power-factor", "not its turbine", { qos: 1 });
    await closed;
    t.equal(broker.stats().closedConnections.not_authorized, 1);
    device.end(true);
    await panel.endAsync();
  },
);

t.test("Sockets that never shake hands make room for each other, and keep nobody out", async (t) => {
  const { broker, port } = await startBroker(t, { tls: tls(true) }, true);
  const silent = Array.from({ length: MAX_HANDSHAKES + 20 }, () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    return socket;
  });
  await Promise.all(silent.slice(0, 10).map((socket) => once(socket, "close")));
  const device = await client(port, "device");
  await device.publishAsync(TOPIC, "in", { qos: 1 });
  t.ok((broker.stats().closedConnections.too_many_connections ?? 0) >= 20);
  await device.endAsync();
  for (const socket of silent) socket.destroy();
});

t.test("Plain MQTT at the TLS port costs its sender the connection", async (t) => {
  const { broker, port } = await startBroker(t, { tls: tls(true) }, true);
  const plain = connect(port, "127.0.0.1");
  plain.on("error", () => {});
  plain.write(Buffer.from([0x10, 14, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 2, 0x61, 0x62]));
  plain.resume();
  await once(plain, "close");
  while (broker.stats().closedConnections.tls !== 1) await new Promise(setImmediate);
  t.equal(broker.stats().connections, 0);
});

t.test("A certificate file that can't be read is named", async (t) => {
  const settings = { tls: { ...tls(true), keyFile: file("missing.key") } };
  await t.rejects(startBroker(t, settings), { code: "mqtt.tls_file", message: /missing\.key/, exitCode: 78 });
});

t.test("Files that are no certificate and key, or no pair, are named in one clear refusal", async (t) => {
  const unfit = { certFile: file("README.md"), keyFile: file("stranger.key") };
  for (const [key, path] of Object.entries(unfit)) {
    await t.rejects(startBroker(t, { tls: { ...tls(true), [key]: path } }), {
      code: "mqtt.tls_file",
      message: path,
      hint: /windfarm check/,
      exitCode: 78,
    });
  }
});

t.test("Towards an existing broker they are tried again, for a renewal may be under way", async (t) => {
  const address = {
    host: "127.0.0.1",
    port: 1,
    tls: true,
    username: undefined,
    password: undefined,
    shown: "",
  };
  const files = { certFile: file("device.pem"), keyFile: file("stranger.key") };
  await t.rejects(openSocket(address, files), {
    code: "collect.tls_file",
    hint: /windfarm check/,
    retry: true,
  });
});

/** What a client may do right after its CONNECT, to TLS or to the TCP connection below it. */
const vanishings: Record<string, (tls: TLSSocket, tcp: Socket) => void> = {
  "closes its side": (_tls, tcp) => tcp.end(),
  "shuts TLS down": (tls) => tls.end(),
  "is gone": (_tls, tcp) => tcp.destroy(),
  resets: (_tls, tcp) => tcp.resetAndDestroy(),
};
for (const [what, vanish] of Object.entries(vanishings)) {
  t.test(
    `A client with a certificate that ${what} right after its CONNECT costs nobody else anything`,
    async (t) => {
      const users = ["users:", "  - name: gw-01", "    publish: [windfarm/T07/+]"].join("\n");
      const settings = { tls: tls(false), usersFile: join(t.testdir({ users }), "users") };
      const { broker, intake, log, port } = await startBroker(t, settings, true);
      const hello = generate({
        cmd: "connect",
        protocolId: "MQTT",
        protocolVersion: 4,
        clean: true,
        clientId: "x",
      });
      for (let i = 0; i < 20; i++) {
        const tcp = connect(port, "127.0.0.1");
        tcp.on("error", () => {});
        const pem = { cert: readFileSync(file("device.pem")), key: readFileSync(file("device.key")) };
        const socket = connectTls({
          socket: tcp,
          servername: "localhost",
          ca: readFileSync(file("ca.pem")),
          ...pem,
        });
        socket.on("error", () => {});
        await once(socket, "secureConnect");
        socket.write(hello, () => vanish(socket, tcp));
        socket.resume();
        await once(tcp, "close");
      }
      const device = await client(port, "device");
      await device.publishAsync(TOPIC, "still here", { qos: 1 });
      t.equal(intake.taken.length, 1);
      t.strictSame(log, []);
      await device.endAsync();
      while (broker.stats().connections > 0) await new Promise(setImmediate);
    },
  );
}
