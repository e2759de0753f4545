/**
 * A certificate signing request (PKCS #10, RFC 2986). Node.js makes keys and signatures but writes no requests; the few
 * DER elements of one are written here, so that a gateway needs no openssl program.
 */

import { createPublicKey, type KeyObject, sign } from "node:crypto";

const TAG = { integer: 0x02, bits: 0x03, oid: 0x06, utf8: 0x0c, sequence: 0x30, set: 0x31, attributes: 0xa0 };
/** 2.5.4.3 and 1.2.840.10045.4.3.2, as DER writes them. */
const COMMON_NAME = Buffer.from([0x55, 0x04, 0x03]);
const ECDSA_WITH_SHA256 = Buffer.from([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]);

/** The request for `commonName`, PEM, signed with `privateKey`, which must be an elliptic curve's. */
export function certificateRequest(commonName: string, privateKey: KeyObject): string {
  const subject = sequence(
    element(TAG.set, sequence(element(TAG.oid, COMMON_NAME), element(TAG.utf8, Buffer.from(commonName)))),
  );
  const publicKey = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  const version = element(TAG.integer, Buffer.from([0]));
  const info = sequence(version, subject, publicKey, element(TAG.attributes));
  const signature = sign("sha256", info, { key: privateKey, dsaEncoding: "der" });
  const signed = element(TAG.bits, Buffer.from([0]), signature);
  const request = sequence(info, sequence(element(TAG.oid, ECDSA_WITH_SHA256)), signed);
  const lines = request.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE REQUEST-----", ...lines, "-----END CERTIFICATE REQUEST-----", ""].join(
    "\n",
  );
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(TAG.sequence, ...parts);
}

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content)]), content]);
}

function lengthOf({ length }: Uint8Array): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}
