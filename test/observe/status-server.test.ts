import { once } from "node:events";
import { createServer, request } from "node:http";
import { connect, type Server } from "node:net";
import { pino } from "pino";
import t, { type Test } from "tap";
import type { Snapshot } from "../../agent/observe/snapshot.ts";
import { createStatusServer, type StatusServerOptions } from "../../agent/observe/status-server.ts";
import { sampleLive } from "./sample-live.ts";
import { sampleSnapshot } from "./sample-snapshot.ts";

interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A log whose lines can be read, and waited for. */
function watchedLog() {
  const lines: Record<string, unknown>[] = [];
  const waiting: (() => void)[] = [];
  const write = (line: string) => {
    lines.push(JSON.parse(line));
    for (const wake of waiting.splice(0)) wake();
  };
  const next = () => new Promise<void>((resolve) => waiting.push(resolve));
  const until = async (count: number) => {
    while (lines.length < count) await next();
  };
  return { log: pino({ level: "info" }, { write }), lines, until };
}

async function startServer(t: Test, options: Partial<StatusServerOptions> = {}) {
  const { log, lines } = watchedLog();
  const server = createStatusServer({
    listen: { host: "127.0.0.1", port: 0 },
    snapshot: () => sampleSnapshot(),
    live: sampleLive(),
    log,
    assets: { script: "/* script */", style: "/* style */", runbook: "<h1>Runbook</h1>" },
    ...options,
  });
  await server.start();
  t.teardown(() => server.stop());
  const port = Number(new URL(server.url() ?? "http://0").port);
  return { server, port, lines };
}

function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
) {
  return new Promise<Reply>((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    asked.on("error", reject).end();
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server doesn't listen on a port");
  return address.port;
}

t.test("The API gives the whole snapshot, and the account in it adds up", async (t) => {
  const { port } = await startServer(t);
  const { status, headers, body } = await ask(port, "/api/status");
  t.equal(status, 200);
  t.match(headers["content-type"], /^application\/json/);
  t.equal(headers["cache-control"], "no-store");
  const said = JSON.parse(body);
  t.same(said, sampleSnapshot());
  t.equal(said.received, said.buffered + said.shipped + said.rejected + said.dropped);
});

t.test(
  "The page is complete as it comes, with its sentence, its account and nothing from elsewhere",
  async (t) => {
    const { port } = await startServer(t);
    const { status, headers, body } = await ask(port, "/");
    t.equal(status, 200);
    t.match(headers["content-type"], /^text\/html; charset=utf-8$/);
    t.match(body, /<span class="word">Delivering<\/span>, 0\u00a0s behind\./);
    t.match(body, /id="received">48\u00a0213</);
    t.notMatch(body, /(?:src|href)="(?:https?:)?\/\//, "no address of another machine is loaded");
    t.notMatch(body, /<script>|<style|\sstyle=|\son[a-z]+="/, "nothing inline that the policy would refuse");
  },
);

t.test("Every answer carries the headers that keep other pages out", async (t) => {
  const { port } = await startServer(t);
  for (const path of ["/", "/api/status", "/metrics", "/page.js", "/nothing"]) {
    const { headers } = await ask(port, path);
    t.match(headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/, path);
    t.notMatch(headers["content-security-policy"], /unsafe/, path);
    t.equal(headers["x-content-type-options"], "nosniff", path);
    t.equal(headers["x-frame-options"], "DENY", path);
    t.equal(headers["referrer-policy"], "no-referrer", path);
    t.equal(headers["access-control-allow-origin"], undefined, path);
  }
});

t.test("Alive is who answers; ready is who stores durably, and says why not", async (t) => {
  const snapshot = sampleSnapshot();
  const { port } = await startServer(t, { snapshot: () => snapshot });
  t.match(await ask(port, "/readyz"), { status: 200, body: /^ready/ });
  snapshot.buffer.state = "failed";
  snapshot.buffer.problem = "the disk refuses to sync (EIO)";
  t.match(await ask(port, "/readyz"), { status: 503, body: "not ready: the disk refuses to sync (EIO)\n" });
  t.match(await ask(port, "/healthz"), { status: 200, body: "alive\n" });
});

t.test("Metrics are in Prometheus' text format", async (t) => {
  const { port } = await startServer(t);
  const { headers, body } = await ask(port, "/metrics");
  t.match(headers["content-type"], /^text\/plain; version=0\.0\.4/);
  t.match(body, /^windfarm_readings_received_total 48213$/m);
});

t.test("The history grows by itself and gives what is new", async (t) => {
  let nowMs = 1_000_000;
  let taken = 0;
  const snapshot = () => {
    taken++;
    nowMs += 5000;
    return sampleSnapshot({ nowMs });
  };
  const { port } = await startServer(t, { snapshot, sampleMs: 5 });
  while (taken < 10) await ask(port, "/healthz");
  const all: number[][] = JSON.parse((await ask(port, "/api/history")).body);
  t.ok(all.length >= 9);
  const middle = all[4]?.[0] ?? 0;
  const later: number[][] = JSON.parse((await ask(port, `/api/history?since=${middle}`)).body);
  t.ok(later.every(([atMs]) => (atMs ?? 0) > middle));
  t.ok(later.length >= all.length - 5);
  t.equal((await ask(port, "/api/history?since=nonsense")).status, 200);
});

t.test("What doesn't change is asked for again and not sent again", async (t) => {
  const { port } = await startServer(t);
  for (const path of ["/page.js", "/page.css", "/favicon.svg"]) {
    const first = await ask(port, path);
    t.equal(first.status, 200, path);
    const etag = String(first.headers.etag);
    const again = await ask(port, path, { headers: { "If-None-Match": etag } });
    t.match(again, { status: 304, body: "" }, path);
    t.match(await ask(port, path, { headers: { "If-None-Match": '"other"' } }), { status: 200 }, path);
  }
});

t.test("HEAD is answered like GET without the body", async (t) => {
  const { port } = await startServer(t);
  const { status, headers, body } = await ask(port, "/", { method: "HEAD" });
  t.equal(status, 200);
  t.equal(body, "");
  t.ok(Number(headers["content-length"]) > 1000);
});

t.test("Other methods and other addresses are refused with a clear word", async (t) => {
  const { port } = await startServer(t);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"]) {
    const { status, headers, body } = await ask(port, "/api/status", { method });
    t.equal(status, 405, method);
    t.equal(headers.allow, "GET, HEAD", method);
    t.match(body, /GET and HEAD/, method);
  }
  t.match(await ask(port, "/nothing"), { status: 404, body: /there is: \/ \/healthz/ });
  t.match(await ask(port, "/../../etc/passwd"), { status: 404 });
  t.match(await ask(port, "//api/status"), { status: 404 });
});

t.test("A name that is not the gateway's is not answered: DNS rebinding", async (t) => {
  const { port } = await startServer(t, { hostNames: ["gw-01.farm.example"] });
  const status = async (host: string) => (await ask(port, "/api/status", { headers: { Host: host } })).status;
  for (const host of [
    "localhost",
    `localhost:${port}`,
    "127.0.0.1:9999",
    "[::1]:80",
    "192.168.7.20",
    "GW-01.farm.example",
  ]) {
    t.equal(await status(host), 200, `${host} is answered`);
  }
  for (const host of [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "gw-01.farm.example@evil",
    "a b",
  ]) {
    t.equal(await status(host), 421, `"${host}" is not`);
  }
});

t.test("A snapshot that can't be taken costs that answer only", async (t) => {
  let broken = true;
  const snapshot = (): Snapshot => {
    if (broken) throw new Error("the buffer is closed");
    return sampleSnapshot();
  };
  const { port, lines } = await startServer(t, { snapshot });
  t.match(await ask(port, "/api/status"), { status: 500, body: /the buffer is closed/ });
  t.match(await ask(port, "/healthz"), { status: 200 });
  t.ok(
    lines.every((line) => line.level === 40),
    "nothing was lost: warnings",
  );
  broken = false;
  t.match(await ask(port, "/api/status"), { status: 200 });
});

t.test("Noise instead of HTTP costs its sender the connection", async (t) => {
  const { port } = await startServer(t);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(Buffer.from("\u0010\u0026\u0000\u0004MQTT\u0004\u0002 not http at all\r\n\r\n"));
  await once(socket.resume(), "close");
  t.match(await ask(port, "/healthz"), { status: 200 });
});

t.test("A port that is taken is told once, tried again, and had when it is free", async (t) => {
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  const port = portOf(squatter);
  const { log, lines, until } = watchedLog();
  const server = createStatusServer({
    listen: { host: "127.0.0.1", port },
    snapshot: () => sampleSnapshot(),
    live: sampleLive(),
    log,
    assets: { script: "", style: "", runbook: "" },
    retryMs: 5,
    sampleMs: 5,
  });
  t.teardown(() => server.stop());
  await server.start();
  t.equal(server.url(), undefined, "start() comes back without it");
  t.match(lines, [{ level: 50, err: { code: "status.port_taken", hint: /status\.listen/ } }]);
  squatter.close();
  await until(2);
  t.match(lines[1], { level: 30, url: `http://127.0.0.1:${port}`, msg: /up now/ });
  t.match(await ask(port, "/healthz"), { status: 200 });
  t.equal(lines.length, 2, "and nothing else was said");
});

t.test("An address that is not ours is an error with its hint, not an exception", async (t) => {
  const { log, lines } = watchedLog();
  const server = createStatusServer({
    listen: { host: "203.0.113.7", port: 0 },
    snapshot: () => sampleSnapshot(),
    live: sampleLive(),
    log,
    assets: { script: "", style: "", runbook: "" },
  });
  await server.start();
  t.match(lines, [{ level: 50, err: { code: "status.cannot_listen", hint: /Collecting needs no page/ } }]);
  await server.stop();
});

t.test("It stops in time though a browser keeps its connection open, and lets go of the port", async (t) => {
  const { server, port } = await startServer(t);
  const idle = connect(port, "127.0.0.1");
  await once(idle, "connect");
  const slow = connect(port, "127.0.0.1");
  slow.write("GET / HTTP/1.1\r\nHost: localhost\r\n");
  await once(slow, "connect");
  await Promise.all([once(idle, "close"), once(slow, "close"), server.stop()]);
  const successor = createServer().listen(port, "127.0.0.1");
  await once(successor, "listening");
  successor.close();
});
