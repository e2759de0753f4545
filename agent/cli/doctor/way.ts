/** The way to AWS, step by step: name, proxy, connection, certificate; and on it, what AWS' clock says. */

import { lookup } from "node:dns/promises";
import { request as httpRequest } from "node:http";
import { connect, isIP, type Socket } from "node:net";
import { createSecureContext, type TLSSocket, connect as tlsConnect } from "node:tls";
import { codeOf, messageOf } from "../../errors.ts";
import { proxyFor, tunnel } from "../../ship/proxy.ts";
import { type Finding, failed, ok, skipped } from "./finding.ts";

export interface Target {
  /** `https://kinesis.eu-west-1.amazonaws.com`. */
  url: URL;
  proxy: string | undefined;
  timeoutMs: number;
  /** Authorities trusted instead of Node.js' own, PEM. */
  ca?: string | undefined;
}

export interface Way {
  DNS: Finding;
  proxy: Finding;
  TCP: Finding;
  TLS: Finding;
  /** How far the other side's clock is ahead of ours, ms; undefined where it did not say. */
  skewMs?: number;
}

const NOT_REACHED = skipped("Not reached: the step before failed");

/** Never rejects. */
export async function walk(target: Target, env: NodeJS.ProcessEnv): Promise<Way> {
  const { host, port } = placeOf(target.url);
  const steps: Way = { DNS: NOT_REACHED, proxy: NOT_REACHED, TCP: NOT_REACHED, TLS: NOT_REACHED };
  let through: URL | undefined;
  try {
    through = target.url.protocol === "http:" ? undefined : proxyFor(host, port, target.proxy, env);
  } catch (error) {
    return {
      ...steps,
      proxy: failed(`The proxy's address can't be read: ${messageOf(error)}`, "write http://host:port"),
    };
  }
  const first = through === undefined ? { host, port } : placeOf(through);
  steps.DNS = await nameStep(first.host);
  if (steps.DNS.state === "failed") return steps;
  const connected = await connectStep(first, target.timeoutMs);
  if (typeof connected === "object" && "state" in connected) {
    if (through === undefined) return { ...steps, proxy: ok("No proxy is configured"), TCP: connected };
    return { ...steps, proxy: failed(`The proxy can't be reached: ${connected.message}`, connected.hint) };
  }
  connected.destroy();
  return await beyond({ steps, target, through });
}

async function beyond({
  steps,
  target,
  through,
}: {
  steps: Way;
  target: Target;
  through: URL | undefined;
}): Promise<Way> {
  const { host, port } = placeOf(target.url);
  let socket: Socket;
  try {
    socket =
      through === undefined
        ? connect({ host, port, timeout: target.timeoutMs })
        : await tunnel(through, host, port, target.timeoutMs);
  } catch (error) {
    const hint = "check kinesis.proxy or HTTPS_PROXY, its login, and that it allows CONNECT to AWS";
    return { ...steps, proxy: failed(`The proxy refuses: ${messageOf(error)}`, hint) };
  }
  socket.on("error", () => {});
  steps.proxy = ok(
    through === undefined ? "No proxy is configured" : `The proxy ${through.host} lets us through`,
  );
  steps.TCP = ok(`${host} answers at port ${port}`);
  if (target.url.protocol === "http:") {
    socket.destroy();
    const skewMs = await askDate(target, undefined);
    const way = { ...steps, TLS: skipped("The endpoint is http:, without TLS") };
    return skewMs === undefined ? way : { ...way, skewMs };
  }
  const { finding, secure } = await handshake(socket, target);
  const skewMs = secure === undefined ? undefined : await askDate(target, secure);
  secure?.destroy();
  return { ...steps, TLS: finding, ...(skewMs === undefined ? {} : { skewMs }) };
}

async function nameStep(host: string): Promise<Finding> {
  if (isIP(host) !== 0) return ok(`${host} is an address`);
  try {
    const { address } = await lookup(host);
    return ok(`${host} is ${address}`);
  } catch (error) {
    const hint = "resolvectl query NAME, cat /etc/resolv.conf: is there a name server, and does it answer?";
    return failed(`No address is found for ${host} (${codeOf(error) ?? messageOf(error)})`, hint);
  }
}

function connectStep(
  { host, port }: { host: string; port: number },
  timeoutMs: number,
): Promise<Socket | Finding> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const late = setTimeout(() => {
      socket.destroy();
      const hint =
        "a firewall swallows the packets, or the link is down: ping the router, then ask the plant's network";
      resolve(failed(`${host} does not answer at port ${port} within ${timeoutMs / 1000} s`, hint));
    }, timeoutMs);
    socket.once("connect", () => {
      clearTimeout(late);
      resolve(socket);
    });
    socket.on("error", (error) => {
      clearTimeout(late);
      resolve(unconnected(host, port, error));
    });
  });
}

function unconnected(host: string, port: number, error: Error): Finding {
  const one = error instanceof AggregateError ? error.errors[0] : error;
  switch (codeOf(one)) {
    case "ENETUNREACH":
    case "EHOSTUNREACH":
    case "ENETDOWN":
      return failed(
        `There is no route to ${host}`,
        "ip route, ip addr: is the link up, and is there a default route?",
      );
    case "ECONNREFUSED":
      return failed(
        `${host} refuses connections to port ${port}`,
        "a firewall rejects them, or nothing listens there; see kinesis.endpoint",
      );
    default:
      return failed(
        `${host}, port ${port}, can't be reached: ${messageOf(one)}`,
        "check the link and the firewall",
      );
  }
}

/** Shakes hands whatever the certificate is, so that what is wrong with it can be said. */
function handshake(
  socket: Socket,
  { url, ca, timeoutMs }: Target,
): Promise<{ finding: Finding; secure?: TLSSocket }> {
  const { host } = placeOf(url);
  return new Promise((resolve) => {
    const context = ca === undefined ? {} : { secureContext: createSecureContext({ ca }) };
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const secure = tlsConnect({
      socket,
      host,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      ...servername,
      ...context,
    });
    const late = setTimeout(() => secure.destroy(new Error("no answer to the TLS handshake")), timeoutMs);
    secure.once("secureConnect", () => {
      clearTimeout(late);
      resolve({ finding: certificateFinding(secure, host), secure });
    });
    secure.on("error", (error) => {
      clearTimeout(late);
      resolve({
        finding: failed(
          `What answers at ${host} speaks no TLS: ${PORTAL} (${messageOf(error)})`,
          PORTAL_HINT,
        ),
      });
    });
  });
}

const PORTAL = "a captive portal or a firewall answers in AWS' place";
const PORTAL_HINT =
  "open a web page from this network: is a login asked for? Have the plant's network let AWS through";

function certificateFinding(secure: TLSSocket, host: string): Finding {
  if (secure.authorized) return ok(`The certificate of ${host} is trusted`);
  const { subject, issuer, valid_from: from, valid_to: to } = secure.getPeerCertificate();
  const shown = `it is for ${first(subject?.CN) ?? "nobody"}, by ${first(issuer?.O) ?? first(issuer?.CN) ?? "nobody"}`;
  const why = String(secure.authorizationError ?? "");
  switch (why) {
    case "CERT_NOT_YET_VALID":
      return failed(
        `The certificate of ${host} is valid only from ${from}`,
        "is this gateway's clock wrong? timedatectl",
      );
    case "CERT_HAS_EXPIRED":
      return failed(
        `The certificate of ${host} was valid until ${to}`,
        "is this gateway's clock wrong? timedatectl",
      );
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return failed(`The certificate shown for ${host} is another's: ${PORTAL}; ${shown}`, PORTAL_HINT);
    default: {
      const hint = `${PORTAL_HINT}; a proxy that opens TLS on purpose needs its authority in NODE_EXTRA_CA_CERTS`;
      return failed(
        `The certificate of ${host} is not trusted (${why}): ${PORTAL}, or a proxy opens TLS; ${shown}`,
        hint,
      );
    }
  }
}

/** How far the other side's Date is ahead of our clock, ms. */
function askDate({ url, timeoutMs }: Target, secure: TLSSocket | undefined): Promise<number | undefined> {
  const { host, port } = placeOf(url);
  return new Promise((resolve) => {
    const over = secure === undefined ? { agent: false } : { createConnection: () => secure };
    const asked = httpRequest(
      { host, port, method: "HEAD", path: "/", signal: AbortSignal.timeout(timeoutMs), ...over },
      (answer) => {
        const date = Date.parse(answer.headers.date ?? "");
        answer.resume();
        asked.destroy();
        resolve(Number.isNaN(date) ? undefined : date - Date.now());
      },
    );
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}

function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

function placeOf(url: URL): { host: string; port: number } {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port: Number(url.port || (url.protocol === "https:" ? 443 : 80)) };
}
