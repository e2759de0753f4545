/** The body of a PutRecords request: JSON, written straight into its bytes. */

const OPEN_DATA = '{"Data":"';
const OPEN_KEY = '","PartitionKey":"';
const CLOSE = '"},';
const FRAME = OPEN_DATA.length + OPEN_KEY.length + CLOSE.length;

/** `key`: ASCII that needs no escaping in JSON. */
export function encodePutRecords(stream: string, records: readonly { key: string; data: Buffer }[]): Buffer {
  const head = `{"StreamName":${JSON.stringify(stream)},"Records":[`;
  let length = Buffer.byteLength(head) + 2;
  for (const { key, data } of records) length += FRAME + base64Length(data.length) + key.length;
  const body = Buffer.allocUnsafe(length);
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

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
