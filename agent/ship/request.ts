/** The body of a PutRecords request: JSON, written straight into its bytes. */

const OPEN_DATA = '{"Data":"';
const OPEN_KEY = '","PartitionKey":"';
const CLOSE = '"},';
const FRAME = OPEN_DATA.length + OPEN_KEY.length + CLOSE.length;

/** Smaller bodies are not worth keeping memory for, bytes. */
const SMALL_BYTES = 64 * 1024;

/**
 * Writes request bodies, using the memory of answered requests again: a megabyte given up with every request has the
 * garbage collector walk through the whole heap several times a second.
 */
export class RequestBodies {
  readonly #capacity: number;
  readonly #kept: number;
  readonly #free: ArrayBufferLike[] = [];

  /** Keeps memory for `kept` bodies of requests with up to `requestBytes` of records. */
  constructor(requestBytes: number, kept: number) {
    this.#capacity = base64Length(requestBytes) + SMALL_BYTES;
    this.#kept = kept;
  }

  /** `key`: ASCII that needs no escaping in JSON. */
  encode(stream: string, records: readonly { key: string; data: Buffer }[]): Buffer {
    const head = `{"StreamName":${JSON.stringify(stream)},"Records":[`;
    let length = Buffer.byteLength(head) + 2;
    for (const { key, data } of records) length += FRAME + base64Length(data.length) + key.length;
    const body = this.#memory(length);
    let at = body.write(head);
    for (const { key, data } of records) {
      at += body.write(OPEN_DATA, at, "latin1");
      at += body.write(data.toString("base64"), at, "latin1");
      at += body.write(`${OPEN_KEY}${key}${CLOSE}`, at, "latin1");
    }
    if (records.length > 0) at--;
    at += body.write("]}", at, "latin1");
    return body.subarray(0, at);
  }

  /** The request was answered, so nothing reads `body` any more. */
  release(body: Buffer): void {
    const { buffer } = body;
    if (buffer.byteLength === this.#capacity && this.#free.length < this.#kept) this.#free.push(buffer);
  }

  #memory(length: number): Buffer {
    if (length < SMALL_BYTES || length > this.#capacity) return Buffer.allocUnsafe(length);
    return Buffer.from(this.#free.pop() ?? new ArrayBuffer(this.#capacity));
  }
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
