/** The way to the broker, TCP or TLS. */

import { readFile } from "node:fs/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { Fault, messageOf } from "../errors.ts";
import type { BrokerAddress, SubscriberSettings } from "./subscriber-settings.ts";

/** A socket on its way to the broker; rejects with Fault `collect.tls_file` where a PEM file can't be read or used. */
export async function openSocket(address: BrokerAddress, tls: SubscriberSettings["tls"]): Promise<Socket> {
  const { host, port } = address;
  // A numeric address without a route fails in the very next tick, before a caller that awaits could listen for the error;
  // after this, ticks wait until the caller has the socket.
  await undefined;
  if (!address.tls) return connectTcp({ host, port, noDelay: true });
  const options: ConnectionOptions = { host, port, minVersion: "TLSv1.2" };
  if (isIP(host) === 0) options.servername = host;
  if (tls?.caFile !== undefined) options.ca = await readPem("ca_file", tls.caFile);
  if (tls?.certFile !== undefined) options.cert = await readPem("cert_file", tls.certFile);
  if (tls?.keyFile !== undefined) options.key = await readPem("key_file", tls.keyFile);
  const socket = connectOver(options);
  socket.setNoDelay(true);
  return socket;
}

/** Throws at once for PEM files that are none, or do not belong together; later renewals may be better. */
function connectOver(options: ConnectionOptions): Socket {
  try {
    return connectTls(options);
  } catch (cause) {
    throw new Fault("collect.tls_file", `mqtt.tls: its files are of no use together: ${messageOf(cause)}`, {
      hint: "windfarm check says which of them is not the PEM file it should be; they are read again at the next try",
      retry: true,
      cause,
    });
  }
}

async function readPem(key: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new Fault("collect.tls_file", `mqtt.tls.${key}: ${messageOf(cause)}`, {
      hint: "put the PEM file there, readable by the agent's user; it is read again at the next try",
      retry: true,
      cause,
    });
  }
}
