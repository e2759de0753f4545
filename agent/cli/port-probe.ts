/** Whether a port can be had, or someone answers at it. */

import { connect, createServer, isIPv6 } from "node:net";
import type { ListenAddress } from "../config/addresses.ts";
import { codeOf, messageOf } from "../errors.ts";
import type { Outcome } from "./outcome.ts";

/** Takes the port for a moment. */
export function isListenable({ host, port, url }: ListenAddress): Promise<Outcome> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(cannotListen(url, error)));
    server.listen({ host, port }, () => {
      server.close(() => resolve({ ok: true, message: `${url} can be listened on.` }));
    });
  });
}

function cannotListen(url: string, error: Error): Outcome {
  const code = codeOf(error);
  if (code === "EADDRINUSE") {
    const hint =
      "windfarm status says whether it is the agent itself; if not: ss -ltnp, then stop the other program or change mqtt.listen";
    return { ok: false, message: `${url} is in use.`, hint, code };
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    const hint = "write an address of this machine (ip addr), 127.0.0.1 or 0.0.0.0";
    return { ok: false, message: `${url} is not an address of this machine.`, hint };
  }
  if (code === "EACCES") {
    return { ok: false, message: `This user may not listen on ${url}.`, hint: "use a port above 1023" };
  }
  return { ok: false, message: `${url} can't be listened on: ${messageOf(error)}.` };
}

/** Connects by TCP and hangs up. */
export function isConnectable(url: string, timeoutMs: number): Promise<Outcome> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const number = port === "" ? (protocol === "mqtts:" ? 8883 : 1883) : Number(port);
  return new Promise((resolve) => {
    const socket = connect({ host, port: number, timeout: timeoutMs, family: isIPv6(host) ? 6 : 0 });
    const end = (outcome: Outcome): void => {
      socket.destroy();
      resolve(outcome);
    };
    socket.once("connect", () => end({ ok: true, message: `${host} answers at port ${number}.` }));
    socket.once("timeout", () => end(silent(host, number, timeoutMs)));
    socket.once("error", (error) => end(cannotConnect(host, number, error)));
  });
}

function silent(host: string, port: number, timeoutMs: number): Outcome {
  const message = `${host} does not answer at port ${port} within ${timeoutMs / 1000} s.`;
  return { ok: false, message, hint: "look for a firewall between here and there, and for a wrong address" };
}

function cannotConnect(host: string, port: number, error: Error): Outcome {
  const code = codeOf(error);
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    return {
      ok: false,
      message: `No address is known for ${host}.`,
      hint: "check the name, and this machine's DNS",
    };
  }
  if (code === "ECONNREFUSED") {
    const hint = "is the broker running, and does it listen on that address?";
    return { ok: false, message: `${host} refuses connections to port ${port}.`, hint };
  }
  return { ok: false, message: `${host}, port ${port}, can't be reached: ${messageOf(error)}.` };
}
