/** A certificate signing request, as `windfarm csr` prints it: the gateway's public key, whose private half stays there. */

import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { EXIT, Fault, messageOf } from "../../agent/errors.ts";

export interface CertificateRequest {
  /** PEM. */
  pem: string;
  publicKey: KeyObject;
  /** The common name in it: the gateway's, where `windfarm csr` made it. */
  gateway: string | undefined;
}

const PEM =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/;
/** DER's tags of a sequence and of an integer. */
const SEQUENCE = 0x30;
const INTEGER = 0x02;
/** The object identifier 2.5.4.3. */
const COMMON_NAME = Buffer.from("0603550403", "hex");

/** Throws a Fault where the file can't be read or holds no request. */
export async function readRequest(file: string): Promise<CertificateRequest> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new Fault("provision.csr", `can't read the request ${file}: ${messageOf(error)}`, {
      hint: "Name the file that windfarm csr printed on the gateway with --csr.",
      exitCode: EXIT.usage,
      cause: error,
    });
  }
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new Fault("provision.csr", `${file} holds a private key; that must not leave the gateway`, {
      hint: "Give the file that windfarm csr printed on the gateway.",
    });
  }
  const found = PEM.exec(text);
  const parts = found?.[1] === undefined ? undefined : partsOf(Buffer.from(found[1], "base64"));
  if (found !== null && parts !== undefined) return { pem: `${found[0]}\n`, ...parts };
  throw new Fault("provision.csr", `${file} is no certificate signing request`, {
    hint: "Give the file that windfarm csr printed on the gateway, from BEGIN to END.",
  });
}

/** Whether a certificate, PEM, is of this request's key. */
export function answers(certificate: string, { publicKey }: CertificateRequest): boolean {
  try {
    return new X509Certificate(certificate).publicKey.equals(publicKey);
  } catch {
    return false;
  }
}

/** CertificationRequest ::= { { version, subject, subjectPKInfo, … }, … } (RFC 2986). Undefined for anything else. */
function partsOf(der: Buffer): Omit<CertificateRequest, "pem"> | undefined {
  try {
    const info = open(open(der, SEQUENCE).content, SEQUENCE).content;
    const subject = open(open(info, INTEGER).rest, SEQUENCE);
    const { whole } = open(subject.rest, SEQUENCE);
    const publicKey = createPublicKey({ key: whole, format: "der", type: "spki" });
    return { publicKey, gateway: commonName(subject.content) };
  } catch {
    return undefined;
  }
}

/** The value behind the attribute commonName (2.5.4.3), be it UTF8String or PrintableString. */
function commonName(subject: Buffer): string | undefined {
  const at = subject.indexOf(COMMON_NAME);
  if (at < 0) return undefined;
  const value = subject.subarray(at + COMMON_NAME.length);
  return open(value, value[0] ?? 0).content.toString("utf8");
}

interface Element {
  whole: Buffer;
  content: Buffer;
  /** What follows it. */
  rest: Buffer;
}

/** The first DER element of `bytes`. Throws a RangeError unless it is one with this tag, whole. */
function open(bytes: Buffer, tag: number): Element {
  const first = bytes[1] ?? 0;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = 2 + lengthBytes;
  const end = start + (lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes));
  if (bytes[0] !== tag || end > bytes.length) throw new RangeError("not the DER element that was expected");
  return { whole: bytes.subarray(0, end), content: bytes.subarray(start, end), rest: bytes.subarray(end) };
}
