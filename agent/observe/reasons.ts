/** Why messages were refused and connections closed, in words for people; metrics and JSON keep the stable names. */

import type { RejectionReason } from "../contract/rejection.ts";

const REJECTIONS: Readonly<Record<RejectionReason, string>> = {
  topic: "wrong topic",
  not_utf8: "not UTF-8 text",
  not_json: "not JSON",
  no_id: "no usable id",
  no_value: "no number as data",
  no_date: "no readable date",
  unknown_type: "unknown type",
  type_contradicts_topic: "type contradicts topic",
  internal: "a defect of windfarm",
};

const CLOSINGS: Readonly<Record<string, string>> = {
  malformed: "malformed packet",
  not_authorized: "not authorized to publish there",
  refused_login: "name, password or certificate refused",
  user_changed: "its user was removed or changed",
  bad_will: "its will is on a topic it may not publish to",
  unsupported_version: "speaks MQTT 5 or an unknown version; windfarm speaks 3.1.1",
  bad_client_id: "unfit client id",
  client_id_taken: "its client id is another user's",
  connect_timeout: "no handshake in time",
  packet_timeout: "packet not ended in time",
  not_reading: "did not read its answers",
  keepalive_timeout: "silent beyond its keep-alive",
  idle_timeout: "silent for too long",
  store_failed: "its reading could not be stored",
  tls: "TLS handshake failed",
};

const WORDS: ReadonlyMap<string, string> = new Map(Object.entries({ ...REJECTIONS, ...CLOSINGS }));

/** `not_json` as `not JSON`; a name that has no words of its own is read as it stands, `packet too large`. */
export function spoken(name: string): string {
  return WORDS.get(name) ?? name.replaceAll("_", " ");
}
