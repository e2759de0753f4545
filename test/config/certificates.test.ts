/** PEM files that are not what their settings ask for. The good ones are those of test/ship/fixtures. */

import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import t from "tap";
import { parseConfig } from "../../agent/config/parse.ts";
import { ConfigFault } from "../../agent/config/problems.ts";

const fixture = (name: string) => readFileSync(`test/ship/fixtures/${name}`, "utf8");
const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const server = fixture("server.pem");
/** All but the first and the last line of what `pem` says in Base64, with its middle spoilt. */
const spoilt = (pem: string) =>
  pem.replace(/(BEGIN [A-Z ]+-----\n)[\s\S]*?(\n-----END)/, "$1MIIBszCCAVmgAwIBAgIUAAAA$2");

const FILES: Readonly<Record<string, string>> = {
  "cert.pem": server,
  "key.pem": fixture("server.key"),
  "ca.pem": fixture("ca.pem"),
  "chain.pem": `${server}${fixture("ca.pem")}`,
  "backwards.pem": `${fixture("ca.pem")}${server}`,
  "other.key": fixture("stranger.key"),
  "device.pem": fixture("device.pem"),
  "device.key": fixture("device.key"),
  "text.pem": "hello\n",
  "empty.pem": "",
  "der.pem": new X509Certificate(server).raw.toString("utf8"),
  "spoilt.pem": spoilt(server),
  "spoilt-second.pem": `${fixture("ca.pem")}${spoilt(server)}`,
  "spoilt.key": spoilt(fixture("server.key")),
  "locked.key": String(
    privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }),
  ),
  "locked-old.key": String(
    privateKey.export({ type: "sec1", format: "pem", cipher: "aes-256-cbc", passphrase: "x" }),
  ),
};

function problemsOf(mqtt: string, kinesis = ""): string[] {
  const text = [
    "version: 1",
    "gateway: { id: gw-01 }",
    `mqtt: ${mqtt}`,
    "buffer: { path: buffer.db }",
    `kinesis: { region: us-east-1${kinesis} }`,
  ].join("\n");
  const read = (file: string) => FILES[file] ?? t.bailout(`no file ${file}`) ?? "";
  try {
    parseConfig("a.yaml", Buffer.from(text), {}, { read });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigFault)) throw error;
    return error.message.split("\n");
  }
}

const listening = (cert: string, key: string, ca?: string) =>
  `{ listen: "mqtts://127.0.0.1", tls: { cert_file: ${cert}, key_file: ${key}${ca === undefined ? "" : `, ca_file: ${ca}`} } }`;

t.test("a certificate and its key are taken, with a chain and with both in one file too", async (t) => {
  t.same(problemsOf(listening("cert.pem", "key.pem", "ca.pem")), []);
  t.same(problemsOf(listening("chain.pem", "key.pem")), []);
  t.same(problemsOf('{ connect: "mqtts://broker", tls: { ca_file: ca.pem } }'), []);
});

t.test("each file that is of no use is one problem, with its place and what to try", async (t) => {
  const cases: [string, string, string | undefined, RegExp][] = [
    [
      "text.pem",
      "key.pem",
      undefined,
      /^a\.yaml:3:56: mqtt\.tls\.cert_file: text\.pem holds no certificate — .*BEGIN/,
    ],
    ["empty.pem", "key.pem", undefined, /cert_file: empty\.pem holds no certificate — /],
    [
      "key.pem",
      "cert.pem",
      undefined,
      /cert_file: key\.pem holds no certificate, but a private key — .*swapped\?/,
    ],
    [
      "der.pem",
      "key.pem",
      undefined,
      /cert_file: der\.pem is not PEM; it may be DER — openssl x509 -inform der/,
    ],
    [
      "spoilt.pem",
      "key.pem",
      undefined,
      /cert_file: spoilt\.pem holds a certificate that can't be read \(.+\) — copy/,
    ],
    [
      "cert.pem",
      "text.pem",
      undefined,
      /^a\.yaml:3:76: mqtt\.tls\.key_file: text\.pem holds no private key — /,
    ],
    [
      "cert.pem",
      "spoilt.key",
      undefined,
      /key_file: spoilt\.key holds a private key that can't be read \(.+\) — copy/,
    ],
    [
      "cert.pem",
      "locked.key",
      undefined,
      /key_file: locked\.key holds a private key protected by a passphrase — .*openssl/,
    ],
    ["cert.pem", "locked-old.key", undefined, /holds a private key protected by a passphrase/],
    [
      "cert.pem",
      "other.key",
      undefined,
      /key_file: other\.key does not belong to the certificate in cert\.pem — /,
    ],
    [
      "backwards.pem",
      "key.pem",
      undefined,
      /key_file: key\.pem belongs to certificate number 2 in backwards\.pem/,
    ],
    ["cert.pem", "key.pem", "text.pem", /ca_file: text\.pem holds no certificate/],
    [
      "cert.pem",
      "key.pem",
      "spoilt-second.pem",
      /ca_file: spoilt-second\.pem holds a certificate, number 2, that/,
    ],
  ];
  for (const [cert, key, ca, expected] of cases) {
    const problems = problemsOf(listening(cert, key, ca));
    t.match(problems[0], expected);
    t.equal(problems.length, cert === "key.pem" ? 2 : 1, problems.join("\n"));
  }
});

t.test("so it is towards an existing broker, and for the device's certificate", async (t) => {
  t.match(problemsOf('{ connect: "mqtts://broker", tls: { cert_file: cert.pem, key_file: other.key } }'), [
    /mqtt\.tls\.key_file: other\.key does not belong/,
  ]);
  const iot = (key: string) =>
    `, credentials: { iot: { endpoint: a.b, role_alias: r, thing_name: t, cert_file: device.pem, key_file: ${key} } }`;
  t.same(problemsOf("{ listen: mqtt://127.0.0.1 }", iot("device.key")), []);
  t.match(problemsOf("{ listen: mqtt://127.0.0.1 }", iot("key.pem")), [
    /^a\.yaml:5:\d+: kinesis\.credentials\.iot\.key_file: key\.pem does not belong to the certificate in device\.pem/,
  ]);
});
