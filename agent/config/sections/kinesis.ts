/** `kinesis`: where readings go. */

import { duration, file, given, integer, secret, section, size, text, url } from "../fields.ts";

export function kinesisSection() {
  return section({
    stream: text({
      pattern: /^[a-zA-Z0-9_.-]{1,128}$/,
      problem: "can't be a stream's name",
      hint: "letters, digits, point, underscore and hyphen, at most 128",
    })
      .prefault("windfarm-readings")
      .describe("Name of the Kinesis stream."),
    region: text({
      pattern: /^[a-z0-9]+(-[a-z0-9]+)+$/,
      problem: "is not an AWS region",
      hint: "for instance eu-west-1",
    }).describe("AWS region of the stream."),
    endpoint: url(["http:", "https:"], "http://127.0.0.1:4567")
      .optional()
      .describe(
        "URL of the Kinesis API; only for a local cloud or a private endpoint, AWS is found by the region.",
      ),
    flush_every: duration("10ms", "5m")
      .prefault("10s")
      .describe(
        "Longest a reading waits for others to travel with; Firehose waits for a minute or more anyway.",
      ),
    max_in_flight: integer(1, 64).prefault("4").describe("PutRecords requests on their way at once."),
    request_timeout: duration("100ms", "5m")
      .prefault("15s")
      .describe("When a request counts as lost; its readings are sent again."),
    record_size: size("4KiB", "1000KiB")
      .prefault("50KiB")
      .describe("Size aimed at for a record; provisioned streams bill by 25 KB."),
    max_bandwidth: size("1KiB", "1GiB")
      .optional()
      .describe("Most that may go over the link per second, for links shared with others."),
    proxy: url(["http:", "https:"], "http://proxy:3128")
      .optional()
      .describe(
        "Proxy that leads to AWS; by default as HTTPS_PROXY and NO_PROXY say, which may also hold a login.",
      ),
    credentials: credentialsSection().prefault({}),
  })
    .transform((kinesis) => ({
      stream: kinesis.stream,
      region: kinesis.region,
      ...given({ endpoint: kinesis.endpoint }),
      flushEveryMs: kinesis.flush_every,
      maxInFlight: kinesis.max_in_flight,
      requestTimeoutMs: kinesis.request_timeout,
      recordBytes: kinesis.record_size,
      ...given({ maxBandwidth: kinesis.max_bandwidth, proxy: kinesis.proxy }),
      credentials: kinesis.credentials,
    }))
    .describe("Where readings go.");
}

export interface DefaultCredentials {
  kind: "default";
}

export interface StaticCredentials {
  kind: "static";
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** An X.509 identity, exchanged for temporary credentials through an IoT role alias. */
export interface IotCredentials {
  kind: "iot";
  /** Host of the account's credential provider. */
  endpoint: string;
  roleAlias: string;
  thingName: string;
  certFile: string;
  keyFile: string;
  caFile?: string;
}

export type Credentials = DefaultCredentials | StaticCredentials | IotCredentials;

function credentialsSection() {
  return section({ iot: iotSection().optional(), static: staticSection().optional() })
    .transform((given): Credentials => given.iot ?? given.static ?? { kind: "default" })
    .describe(
      "Identity towards AWS: iot or static; with neither, the default chain (environment, shared files, instance role).",
    );
}

function iotSection() {
  return section({
    endpoint: text({
      // Ports from 1 to 65535.
      pattern: /^[A-Za-z0-9.-]+(:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]))?$/,
      problem: "is not a host name",
      hint: "the answer of: aws iot describe-endpoint --endpoint-type iot:CredentialProvider",
    }).describe("Host of the account's credential provider."),
    role_alias: text().describe("Role alias that leads to the gateway's role."),
    thing_name: text().describe("The gateway's name in AWS IoT."),
    cert_file: file().describe("The gateway's certificate, PEM."),
    key_file: file().describe("Private key of the certificate, PEM."),
    ca_file: file()
      .optional()
      .describe("Authority of the endpoint's certificate; by default those Node.js trusts."),
  })
    .transform(
      (iot): IotCredentials => ({
        kind: "iot",
        endpoint: iot.endpoint,
        roleAlias: iot.role_alias,
        thingName: iot.thing_name,
        certFile: iot.cert_file,
        keyFile: iot.key_file,
        ...given({ caFile: iot.ca_file }),
      }),
    )
    .describe("X.509 identity of a gateway, exchanged for temporary credentials.");
}

function staticSection() {
  return section({
    access_key_id: text().describe("Access key id."),
    secret_access_key: secret().optional().describe("Secret access key; better in secret_access_key_file."),
    secret_access_key_file: file().optional().describe("File that holds the secret access key."),
    session_token: secret().optional().describe("Session token of temporary credentials."),
    session_token_file: file().optional().describe("File that holds the session token."),
  })
    .transform(
      (keys): StaticCredentials => ({
        kind: "static",
        accessKeyId: keys.access_key_id,
        secretAccessKey: keys.secret_access_key ?? "",
        ...given({ sessionToken: keys.session_token }),
      }),
    )
    .describe("Long-lived keys; for tests and for clouds that offer nothing else.");
}
