/** The side of a socket that aedes sees: what it writes leaves in whole packets, and a hang-up lets them leave first. */

import type { Socket } from "node:net";
import { Duplex, type DuplexOptions } from "node:stream";

/** How long what was written may take to leave after a connection is closed. */
const LINGER_MS = 2000;

export class SocketStream extends Duplex {
  readonly socket: Socket;

  constructor(socket: Socket, options: DuplexOptions) {
    super({ allowHalfOpen: false, autoDestroy: true, ...options });
    this.socket = socket;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.socket.write(chunk, callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: () => void): void {
    this.socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.socket.writableLength === 0) {
      this.socket.destroy();
    } else {
      // Sends what was written, such as the CONNACK that says why; but a peer that doesn't read can't keep us.
      this.socket.destroySoon();
      setTimeout(() => this.socket.destroy(), LINGER_MS).unref();
    }
    callback(error);
  }
}
