/** `mqtt`: where readings come from. */

import { TopicReader } from "../../contract/topics.ts";
import { messageOf } from "../../errors.ts";
import {
  checked,
  duration,
  file,
  flag,
  given,
  integer,
  listen,
  secret,
  section,
  size,
  text,
  url,
} from "../fields.ts";
import { Unfit } from "../unfit.ts";

export const MQTT_SCHEMES: readonly string[] = ["mqtt:", "mqtts:"];

export function mqttSection() {
  return section({
    listen: listen(MQTT_SCHEMES)
      .optional()
      .describe("Address of the embedded broker, to which sensors publish. Either this or connect."),
    connect: url(MQTT_SCHEMES, "mqtts://broker.example:8883")
      .optional()
      .describe("URL of an existing broker to subscribe to. Either this or listen."),
    topic: topic()
      .prefault("windfarm/+/+")
      .describe("Topic filter: the first + is the turbine, the second, if there is one, the sensor."),
    max_packet: size("1KiB", "512KiB")
      .prefault("64KiB")
      .describe("Largest MQTT packet taken; a larger one costs its sender the connection."),
    max_connections: integer(1, 100_000)
      .prefault("256")
      .describe("Connections the embedded broker holds at once; any more are closed."),
    connect_timeout: duration("100ms", "5m")
      .prefault("10s")
      .describe("How long connecting may take, from the TCP connection to the end of the MQTT handshake."),
    idle_timeout: duration("1s", "30d")
      .optional()
      .describe(
        "Close connections to the embedded broker that send nothing for so long; by default their keep-alive decides.",
      ),
    users_file: file()
      .optional()
      .describe(
        "File of the embedded broker's users, with hashed passwords and the topics they may publish to.",
      ),
    tls: tlsSection().optional(),
    client_id: text({
      pattern: /^[\x21-\x7e]{1,128}$/,
      problem: "can't be a client id",
      hint: "printable ASCII without blanks, at most 128",
    })
      .optional()
      .describe(
        "Client id at the existing broker, the same at every start; windfarm-<gateway id> where none is given.",
      ),
    username: text().optional().describe("User name at the existing broker."),
    password: secret().optional().describe("Password at the existing broker; better in password_file."),
    password_file: file().optional().describe("File that holds the password."),
    keepalive: duration("1s", "18h")
      .prefault("30s")
      .describe("How often the existing broker is asked for a sign of life."),
  })
    .transform((mqtt) => ({
      ...given({
        listen: mqtt.listen,
        connect: mqtt.connect === undefined ? undefined : { url: mqtt.connect },
        idleTimeoutMs: mqtt.idle_timeout,
        usersFile: mqtt.users_file,
        tls: mqtt.tls,
        clientId: mqtt.client_id,
        username: mqtt.username,
        password: mqtt.password,
      }),
      topic: mqtt.topic,
      maxPacketBytes: mqtt.max_packet,
      maxConnections: mqtt.max_connections,
      connectTimeoutMs: mqtt.connect_timeout,
      keepaliveMs: mqtt.keepalive,
    }))
    .describe("Where readings come from: an embedded broker (listen) or an existing one (connect).");
}

function tlsSection() {
  return section({
    cert_file: file().optional().describe("Certificate, with its chain, PEM."),
    key_file: file().optional().describe("Private key of the certificate, PEM."),
    ca_file: file()
      .optional()
      .describe("Certificates of the authorities trusted to sign the other side's, PEM."),
    require_client_certificate: flag()
      .prefault("false")
      .describe("Take only clients with a certificate signed by ca_file."),
  })
    .transform((tls) => ({
      ...given({ certFile: tls.cert_file, keyFile: tls.key_file, caFile: tls.ca_file }),
      requireClientCertificate: tls.require_client_certificate,
    }))
    .describe("Certificates for mqtts.");
}

function topic() {
  return checked((filter) => {
    try {
      new TopicReader(filter);
      return filter;
    } catch (error) {
      return new Unfit(`does not suit: ${messageOf(error)}`, "for instance windfarm/+/+");
    }
  });
}
