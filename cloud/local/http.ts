/** The few things both of the local cloud's HTTP servers need. */

import type http from "node:http";
import type { AddressInfo } from "node:net";
import { codeOf, Fault } from "../../agent/errors.ts";

/** Listens on 127.0.0.1, on any port for 0; a port that is taken is said as a Fault that names `what`. */
export function listenOnLoopback(server: http.Server, port: number, what: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(codeOf(error) === "EADDRINUSE" ? portTaken(port, what) : error));
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

function portTaken(port: number, what: string): Fault {
  return new Fault(
    "cloud.port_taken",
    `port ${port} on 127.0.0.1, for ${what}, is in use by another program`,
    {
      hint: "stop that program (is another local cloud running?) or choose another port; --help names the option",
    },
  );
}

/** Takes no more connections; resolves when what is under way is answered. */
export function endServer(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), PATIENCE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** How long a request under way may take when the server ends, ms. */
const PATIENCE_MS = 5_000;

/** The whole body, or undefined where it is larger than `maxBytes`. */
export async function readBody(message: http.IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks = [];
  }
  return bytes <= maxBytes ? Buffer.concat(chunks) : undefined;
}

/** Answers with JSON, or ends a connection on which an answer has begun. */
export function answerJson(
  response: http.ServerResponse,
  status: number,
  body: unknown,
  type = "application/json",
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { "content-type": type });
  response.end(`${JSON.stringify(body)}\n`);
}
