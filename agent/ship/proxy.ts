/** Ways through a plant's proxy: who goes through it, and the tunnel (CONNECT) that leads to the other side. */

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

/** The proxy answered no, or nothing that could be understood. */
class ProxyError extends Error {
  readonly code = "EPROXY";
}

/** The proxy on the way to `host`: `configured`, or as HTTPS_PROXY and NO_PROXY say. */
export function proxyFor(
  host: string,
  port: number,
  configured: string | undefined,
  env: Environment,
): URL | undefined {
  if (configured !== undefined) return new URL(configured);
  const found = env.HTTPS_PROXY || env.https_proxy;
  if (!found || isExcepted(host, port, env.NO_PROXY || env.no_proxy || "")) return undefined;
  const text = found.includes("://") ? found : `http://${found}`;
  if (!URL.canParse(text)) throw new ProxyError("HTTPS_PROXY is no URL");
  return new URL(text);
}

/** `list`: names, with or without a port, separated by commas; a name stands for those below it as well, `*` for all. */
function isExcepted(host: string, port: number, list: string): boolean {
  const names = list
    .split(/[\s,]+/)
    .map((name) => name.toLowerCase().replace(/^\*?\./, ""))
    .filter((name) => name !== "");
  const asked = host.toLowerCase();
  return names.some((entry) => {
    if (entry === "*") return true;
    const [, name = entry, only] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
    return (only === undefined || Number(only) === port) && (asked === name || asked.endsWith(`.${name}`));
  });
}

/** A socket through `proxy` on which `host` answers. */
export function tunnel(proxy: URL, host: string, port: number, timeoutMs: number): Promise<Socket> {
  const target = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const refused = (why: string) => new ProxyError(`the proxy ${proxy.host} ${why}`);
  return new Promise((resolve, reject) => {
    const ask = proxy.protocol === "https:" ? httpsRequest : httpRequest;
    const asked = ask({
      host: proxy.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      method: "CONNECT",
      path: target,
      headers: { host: target, ...login(proxy) },
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    });
    asked.once("connect", (answer, socket) => {
      // Errors from now on are told by the TLS socket above it.
      socket.on("error", () => {});
      if (answer.statusCode === 200) return resolve(socket);
      socket.destroy();
      reject(refused(`answers ${answer.statusCode} ${answer.statusMessage} to CONNECT ${target}`));
    });
    asked.once("error", (error) => reject(refused(`does not answer: ${error.message}`)));
    asked.end();
  });
}

function login({ username, password }: URL): Record<string, string> {
  if (username === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(pair).toString("base64")}` };
}
