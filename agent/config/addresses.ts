/** Addresses to listen on and URLs to connect to, read from their texts. */

import { Unfit } from "./unfit.ts";

/** Where a server of ours listens. */
export interface ListenAddress {
  /** A name or an IP address, IPv6 without brackets. */
  host: string;
  /** 0 for any free port. */
  port: number;
  tls: boolean;
  /** The same, always with its port. */
  url: string;
}

const LARGEST_PORT = 65_535;

/** Scheme → default port and whether it means TLS. */
const SCHEMES: Readonly<Record<string, { port: number; tls: boolean }>> = {
  "mqtt:": { port: 1883, tls: false },
  "mqtts:": { port: 8883, tls: true },
  "http:": { port: 80, tls: false },
  "https:": { port: 443, tls: true },
};

/** Reads `scheme://host:port` and nothing more. `schemes` with their colon, the plain one first. */
export function readListen(text: string, schemes: readonly string[]): ListenAddress | Unfit {
  const example = `${schemes[0]}//127.0.0.1:${schemes[0] === "http:" ? 8080 : 1883}`;
  const url = readUrl(text, schemes, example);
  if (url instanceof Unfit) return url;
  if (url.pathname.length > 1 || url.search !== "" || url.hash !== "") {
    return new Unfit(`"${text}" has more than a host and a port`, `write ${example}`);
  }
  const scheme = SCHEMES[url.protocol];
  if (scheme === undefined) return new Unfit(`"${text}" has an unknown scheme`, `write ${example}`);
  const port = url.port === "" ? scheme.port : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port, tls: scheme.tls, url: `${url.protocol}//${url.hostname}:${port}` };
}

/** Reads a URL to connect to; credentials in it are refused, for URLs are shown and logged. */
export function readTarget(text: string, schemes: readonly string[], example: string): URL | Unfit {
  const url = readUrl(text, schemes, example);
  if (url instanceof Unfit || url.port !== "0") return url;
  return new Unfit("nobody can be reached at port 0", `write ${example}`);
}

/** Reads an address without credentials; port 0 may stand for any free one. */
function readUrl(text: string, schemes: readonly string[], example: string): URL | Unfit {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    const port = /:(\d+)\/?$/.exec(text)?.[1];
    if (port !== undefined && Number(port) > LARGEST_PORT) {
      return new Unfit(`there is no port ${port}`, `write a port up to ${LARGEST_PORT}, as in ${example}`);
    }
    return new Unfit(`${quoted(text)} is not a URL`, `write ${example}`);
  }
  if (!schemes.includes(url.protocol)) {
    const wanted = schemes.map((scheme) => `${scheme}//`).join(" or ");
    return new Unfit(`${quoted(text)} does not begin with ${wanted}`, `write ${example}`);
  }
  if (url.username !== "" || url.password !== "") {
    return new Unfit("the URL carries a user or password", "give them in keys of their own, beside the URL");
  }
  if (url.hostname === "") return new Unfit(`${quoted(text)} names no host`, `write ${example}`);
  return url;
}

/** The text for a message, unless there may be a password in it. */
function quoted(text: string): string {
  return text.includes("@") ? "the value" : `"${text}"`;
}
