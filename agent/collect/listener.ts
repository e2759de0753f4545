/** The embedded broker's server socket, plain or TLS. */

import { readFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type PeerCertificate, TLSSocket, type TlsOptions } from "node:tls";
import { codeOf, EXIT, Fault, messageOf } from "../errors.ts";
import type { BrokerSettings, BrokerTls } from "./broker-settings.ts";
import { addressOf } from "./connection-setup.ts";
import { WaitingRoom } from "./waiting-room.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** TLS handshakes at once: one more, and one goes. Each costs some 50 KB. */
export const MAX_HANDSHAKES = 64;

export interface ListenerEvents {
  connected(socket: Socket): void;
  /** A connection that never became one. */
  refused(reason: "tls" | "too_many_connections"): void;
}

export function createListener(settings: BrokerSettings, { connected, refused }: ListenerEvents): Server {
  const { tls } = settings;
  if (tls === undefined) return createServer({ noDelay: true }, connected);
  const server = createSecureServer(tls, connected);
  const handshakes = new Map<string, Socket>();
  const room = new WaitingRoom<Socket>(MAX_HANDSHAKES);
  server.on("connection", (socket) => {
    const [peer, address] = [peerOf(socket), addressOf(socket)];
    handshakes.set(peer, socket);
    // However a handshake ends without a connection: a bad certificate raises no error here.
    socket.once("close", () => {
      handshakes.delete(peer);
      if (room.leave(address, socket)) refused("tls");
    });
    const evicted = room.enter(address, socket);
    if (evicted === undefined) return;
    refused("too_many_connections");
    evicted.destroy();
  });
  server.on("secureConnection", (socket) => {
    const raw = handshakes.get(peerOf(socket));
    if (raw !== undefined) room.leave(addressOf(raw), raw);
  });
  // A failed handshake costs that connection; the server has nothing to do about it.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

function createSecureServer(tls: BrokerTls, connected: (socket: Socket) => void): Server {
  const options: TlsOptions = {
    cert: readPem(tls, "certFile"),
    key: readPem(tls, "keyFile"),
    ...(tls.caFile === undefined ? {} : { ca: readPem(tls, "caFile") }),
    requestCert: tls.caFile !== undefined,
    rejectUnauthorized: tls.requireClientCertificate,
    minVersion: "TLSv1.2",
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  };
  try {
    return createTlsServer(options, connected);
  } catch (error) {
    // OpenSSL names no file.
    const files = [tls.certFile, tls.keyFile, tls.caFile].filter((file) => file !== undefined).join(", ");
    throw new Fault("mqtt.tls_file", `mqtt.tls: ${files} are of no use together: ${messageOf(error)}`, {
      hint: "windfarm check says which of them is not the PEM file it should be",
      exitCode: EXIT.config,
      cause: error,
    });
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** Resolves with the port; rejects with a Fault that names the address. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(listenFault(error, host, port)));
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** The common name of a verified client certificate, or undefined. Node has none any more once the socket is closed. */
export function certificateName(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const certificate: PeerCertificate | null = socket.getPeerCertificate();
  const name: unknown = certificate?.subject?.CN;
  return typeof name === "string" && name !== "" ? name : undefined;
}

function readPem(tls: BrokerTls, key: "certFile" | "keyFile" | "caFile"): Buffer {
  const file = tls[key] ?? "";
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Fault("mqtt.tls_file", `can't read mqtt.tls ${file}: ${messageOf(error)}`, {
      hint: "the file must exist and be readable by the user the agent runs as",
      exitCode: EXIT.config,
      cause: error,
    });
  }
}

function listenFault(error: Error, host: string, port: number): Fault {
  const what = `can't listen on ${host}:${port} for MQTT`;
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new Fault("mqtt.port_in_use", `${what}: the port is in use`, {
        hint: `find its owner with "ss -ltnp 'sport = :${port}'"; a second broker or agent? Then stop it, or change mqtt.listen`,
        cause: error,
      });
    case "EACCES":
      return new Fault("mqtt.port_forbidden", `${what}: not permitted`, {
        hint: "ports below 1024 need CAP_NET_BIND_SERVICE; use 1883 or 8883",
        cause: error,
      });
    case "EADDRNOTAVAIL":
      return new Fault("mqtt.no_such_address", `${what}: this machine has no such address`, {
        hint: "see the machine's addresses with `ip address`",
        cause: error,
      });
    default:
      return new Fault("mqtt.listen", `${what}: ${messageOf(error)}`, { cause: error });
  }
}
