/**
 * The PEM files of certificates, keys and authorities: OpenSSL would say what is wrong with them only when the first
 * connection is made, in its own words, and of a file of authorities that holds none it says nothing at all.
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { messageOf } from "../errors.ts";
import type { ReadText } from "./files.ts";
import type { Complaint } from "./problems.ts";
import { type Path, pathText, type Tree, textAt } from "./tree.ts";

/** The sections that hold cert_file, key_file and ca_file. */
const SECTIONS: readonly Path[] = [
  ["mqtt", "tls"],
  ["kinesis", "credentials", "iot"],
];

interface Pem {
  path: Path;
  file: string;
  text: string;
}

/** Why a PEM file is of no use, after its name. */
interface Flaw {
  message: string;
  hint: string;
}

/** Every file that is not what its setting asks for; files that can't be read have been complained of already. */
export function checkCertificates(tree: Tree, read: ReadText): Complaint[] {
  return SECTIONS.flatMap((section) => {
    const [cert, key, ca] = ["cert_file", "key_file", "ca_file"].map((name) =>
      pemAt(tree, [...section, name], read),
    );
    const flaws = [
      ...complaintsOf(cert, flawOfCertificates),
      ...complaintsOf(key, flawOfKey),
      ...complaintsOf(ca, flawOfCertificates),
    ];
    if (flaws.length > 0 || cert === undefined || key === undefined) return flaws;
    return complaintsOf(key, () => flawOfPair(cert, key));
  });
}

function pemAt(tree: Tree, path: Path, read: ReadText): Pem | undefined {
  const file = textAt(tree, path);
  if (file === undefined || file === "") return undefined;
  try {
    return { path, file, text: read(file) };
  } catch {
    return undefined;
  }
}

function complaintsOf(pem: Pem | undefined, flawOf: (pem: Pem) => Flaw | undefined): Complaint[] {
  const flaw = pem === undefined ? undefined : flawOf(pem);
  if (pem === undefined || flaw === undefined) return [];
  return [{ path: pem.path, message: `${pathText(pem.path)}: ${pem.file} ${flaw.message}`, hint: flaw.hint }];
}

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[\s\S]*?-----END [A-Z0-9 ]+-----/g;
const KEY = /-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----/;
const LOCKED_KEY = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
const COPY_AGAIN = "copy it again, all lines from -----BEGIN to -----END";

function flawOfCertificates({ file, text }: Pem): Flaw | undefined {
  const blocks = text.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) return notPem(text, file, "certificate", KEY.test(text) ? "key" : undefined);
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch (error) {
      const which = blocks.length === 1 ? "a certificate" : `a certificate, number ${index + 1},`;
      return { message: `holds ${which} that can't be read (${reasonOf(error)})`, hint: COPY_AGAIN };
    }
  }
  return undefined;
}

function flawOfKey({ file, text }: Pem): Flaw | undefined {
  if (LOCKED_KEY.test(text)) {
    const hint = `nobody is there to type it when the agent starts: openssl pkey -in ${file} -out … removes it`;
    return { message: "holds a private key protected by a passphrase", hint };
  }
  if (!KEY.test(text)) {
    const other = text.match(CERTIFICATE) === null ? undefined : "certificate";
    return notPem(text, file, "private key", other);
  }
  try {
    createPrivateKey(text);
    return undefined;
  } catch (error) {
    return { message: `holds a private key that can't be read (${reasonOf(error)})`, hint: COPY_AGAIN };
  }
}

function notPem(text: string, file: string, wanted: string, found: "key" | "certificate" | undefined): Flaw {
  const message = `holds no ${wanted}`;
  if (found !== undefined) {
    const hint = "have cert_file and key_file been swapped?";
    return { message: `${message}, but a ${found === "key" ? "private key" : found}`, hint };
  }
  // Read as UTF-8, the length bytes of DER are no characters.
  if (text.startsWith("0") && /[\ufffd\0]/.test(text)) {
    const command = wanted === "certificate" ? "x509" : "pkey";
    const hint = `openssl ${command} -inform der -in ${file} -out … writes it as PEM`;
    return { message: `is not PEM; it may be DER`, hint };
  }
  const begin = wanted === "certificate" ? "-----BEGIN CERTIFICATE-----" : "-----BEGIN PRIVATE KEY-----";
  return { message, hint: `it is a PEM file: a text with a line ${begin}` };
}

function flawOfPair(cert: Pem, key: Pem): Flaw | undefined {
  const own = createPrivateKey(key.text);
  const chain = (cert.text.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
  const place = chain.findIndex((one) => one.checkPrivateKey(own));
  if (place < 0) {
    const hint = "name the key that the certificate was made with, or the certificate made with this key";
    return { message: `does not belong to the certificate in ${cert.file}`, hint };
  }
  if (place > 0) {
    const hint = `put that certificate first in ${cert.file}, the authorities' after it`;
    return { message: `belongs to certificate number ${place + 1} in ${cert.file}, not to the first`, hint };
  }
  try {
    createSecureContext({ cert: cert.text, key: key.text });
    return undefined;
  } catch (error) {
    const message = `and ${cert.file} are refused by TLS (${reasonOf(error)})`;
    return { message, hint: "make a new pair, for instance with ECDSA P-256 or RSA of 2048 bits" };
  }
}

/** OpenSSL's reason without its numbers: `error:068000A8:asn1 encoding routines::wrong tag` → `wrong tag`. */
function reasonOf(error: unknown): string {
  return messageOf(error).split("::").at(-1) ?? "";
}
