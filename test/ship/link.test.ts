import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type Server as HttpServer } from "node:http";
import { createServer as createHttpsServer, request } from "node:https";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { Link } from "../../agent/ship/link.ts";
import { proxyFor } from "../../agent/ship/proxy.ts";

const fixture = (name: string) => readFileSync(join("test/ship/fixtures", name));
const TIMEOUT_MS = 5000;

async function listening(t: Test, server: Server | HttpServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

function secureServer(t: Test): Promise<number> {
  const server = createHttpsServer(
    { cert: fixture("server.pem"), key: fixture("server.key") },
    (asked, answer) => {
      asked.resume().on("end", () => answer.end("x".repeat(5000)));
    },
  );
  t.teardown(() => server.closeAllConnections());
  return listening(t, server);
}

/** A relay to `port` and the bytes that went through it, both ways. */
async function relay(t: Test, port: number) {
  const seen = { bytes: 0, connections: 0 };
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    seen.connections++;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("data", (chunk) => {
        seen.bytes += chunk.length;
        to.write(chunk);
      });
      from.on("error", () => {}).on("close", () => to.destroy());
    }
  });
  return { seen, port: await listening(t, server) };
}

/** A proxy for CONNECT; what it was asked for, and with which login. */
async function proxy(t: Test, status = 200) {
  const asked: { target: string | undefined; login: string | undefined }[] = [];
  const server = createHttpServer().on("connect", (request, near, head) => {
    asked.push({ target: request.url, login: request.headers["proxy-authorization"] });
    if (status !== 200) return near.end(`HTTP/1.1 ${status} No\r\n\r\n`);
    const far = connect(Number(request.url?.split(":")[1]), "127.0.0.1", () => {
      near.write("HTTP/1.1 200 Connection established\r\n\r\n");
      far.write(head);
      near.pipe(far).pipe(near);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on("error", () => {}).on("close", () => other.destroy());
  });
  return { asked, port: await listening(t, server) };
}

function newLink(t: Test, env: Record<string, string> = {}, settings: { proxy?: string } = {}): Link {
  const link = new Link({ requestTimeoutMs: TIMEOUT_MS, ...settings }, env);
  t.teardown(() => link.close());
  return link;
}

async function post(link: Link, port: number): Promise<number> {
  const options = { host: "localhost", port, method: "POST", agent: link.httpsAgent, ca: fixture("ca.pem") };
  const asked = request(options);
  asked.end("y".repeat(3000));
  const [answer] = await once(asked, "response");
  let bytes = 0;
  for await (const chunk of answer) bytes += chunk.length;
  return bytes;
}

t.test("what goes over the link is counted at the socket, TLS included, on a kept connection", async (t) => {
  const { seen, port } = await relay(t, await secureServer(t));
  const link = newLink(t);
  for (let each = 0; each < 3; each++) t.equal(await post(link, port), 5000);
  t.equal(seen.connections, 1);
  t.equal(link.bytes, seen.bytes);
  t.ok(link.bytes > 3 * 8000, `${link.bytes} bytes`);
  link.close();
  await new Promise((resolve) => setImmediate(resolve));
  t.ok(link.bytes >= seen.bytes, "also once the connection is closed");
});

t.test("a proxy leads to the other side, as HTTPS_PROXY or the configuration says", async (t) => {
  const port = await secureServer(t);
  const through = await proxy(t);
  const url = `http://gate%20way:s%3Acret@127.0.0.1:${through.port}`;
  t.equal(await post(newLink(t, { HTTPS_PROXY: url }), port), 5000);
  t.strictSame(through.asked, [
    { target: `localhost:${port}`, login: `Basic ${Buffer.from("gate way:s:cret").toString("base64")}` },
  ]);
  const link = newLink(t, { NO_PROXY: "*" }, { proxy: `http://127.0.0.1:${through.port}` });
  t.equal(await post(link, port), 5000, "what is configured stands above the environment");
  t.equal(through.asked.length, 2);
  t.equal(await post(newLink(t, { HTTPS_PROXY: url, NO_PROXY: "localhost" }), port), 5000);
  t.equal(through.asked.length, 2, "but not past NO_PROXY");
});

t.test("a proxy that lets nothing through is named", async (t) => {
  const port = await secureServer(t);
  const refusing = await proxy(t, 407);
  const link = newLink(t, { https_proxy: `127.0.0.1:${refusing.port}` });
  await t.rejects(post(link, port), { code: "EPROXY", message: /answers 407 No to CONNECT localhost/ });
  const closed = createServer();
  const closedPort = await listening(t, closed);
  closed.close();
  await once(closed, "close");
  const nobody = newLink(t, { HTTPS_PROXY: `http://127.0.0.1:${closedPort}` });
  await t.rejects(post(nobody, port), { code: "EPROXY", message: /does not answer/ });
  await t.rejects(post(newLink(t, { HTTPS_PROXY: "http://:bad" }), port), { code: "EPROXY" });
});

t.test("who goes past the proxy", async (t) => {
  const env = (list: string) => ({ HTTPS_PROXY: "http://proxy:3128", NO_PROXY: list });
  const host = "kinesis.eu-west-1.amazonaws.com";
  for (const list of ["*", "amazonaws.com", ".amazonaws.com", "*.amazonaws.com", `a, ${host}`, `${host}:443`])
    t.equal(proxyFor(host, 443, undefined, env(list)), undefined, list);
  for (const list of ["", "aws.com", "zonaws.com", `${host}:8443`, "10.0.0.0/8", `x.${host}`])
    t.equal(proxyFor(host, 443, undefined, env(list))?.host, "proxy:3128", list);
  t.equal(proxyFor(host, 443, undefined, {}), undefined);
});
