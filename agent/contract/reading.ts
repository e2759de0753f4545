/** A reading as its producer sent it, read with tolerance: what is meant is taken, what can't be is told why. */

import { isUtf8 } from "node:buffer";
import { DateReader, isDayOnly } from "./dates.ts";
import type { RejectionReason } from "./rejection.ts";
import { type Sensor, SensorCatalog, type SensorType } from "./sensors.ts";
import type { TopicParts } from "./topics.ts";

/** What a producer said, understood. `(turbine, type, id, date, data)` is the reading's identity. */
export interface Reading {
  id: string;
  /** In the sensor's unit; finite. */
  data: number;
  type: SensorType;
  /** `YYYY-MM-DDTHH:MM:SS.mmmZ`. */
  date: string;
  turbine: string;
}

export interface Understood {
  reading: Reading;
  sensor: Sensor;
  /** False where `data` lies outside the sensor's plausible range; such a reading is kept. */
  plausible: boolean;
  /** The producer named only a day. */
  day: boolean;
}

/** Either is told apart by `reason`. */
export type Verdict = Understood | Refused;
export interface Refused {
  reason: RejectionReason;
  detail: string;
}

/** Longest id taken, in UTF-16 units. */
export const MAX_ID_LENGTH = 512;

const UNFIT_ID = /[\0\p{Cs}]/u;
const LONG_ID = /"id(?:temp)?"\s*:\s*(-?\d{16,})(?=\s*[,}])/g;
/** Objects and arrays in each other; brackets within texts count too. */
const MAX_DEPTH = 1000;
/** Longest numeric text taken, in UTF-16 units; 309 digits are the longest finite number written out. */
const MAX_NUMBER_LENGTH = 512;
/** No two of its parts can match the same digits, or trying all ways of sharing them would take for ever. */
const NUMERIC = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Understands payloads of one gateway: its sensors and its time zone. */
export class ReadingReader {
  readonly #sensors: SensorCatalog;
  readonly #dates: DateReader;
  readonly #utf8 = new TextDecoder();

  constructor(sensors: SensorCatalog = new SensorCatalog(), dates: DateReader = new DateReader()) {
    this.#sensors = sensors;
    this.#dates = dates;
  }

  read(payload: Uint8Array, topic: TopicParts): Verdict {
    // Asked first: a decoder's error costs more than ten readings.
    if (!isUtf8(payload)) return refuse("not_utf8", "the payload is not UTF-8 text");
    const text = this.#utf8.decode(payload);
    if (isNestedTooDeeply(payload)) return refuse("not_json", "the payload is nested too deeply");
    const json = parseObject(text);
    if (json === undefined) return refuse("not_json", `the payload is not one JSON object: ${shorten(text)}`);
    return this.#fromFields(json, text, topic);
  }

  #fromFields(json: Record<string, unknown>, text: string, topic: TopicParts): Verdict {
    const id = readId(own(json, "id") ?? own(json, "idtemp"), text);
    if (id === undefined)
      return refuse("no_id", `no usable id: ${show(own(json, "id") ?? own(json, "idtemp"))}`);
    const data = readNumber(own(json, "data"));
    if (data === undefined)
      return refuse("no_value", `data is not a finite number: ${show(own(json, "data"))}`);
    const said = own(json, "date") ?? own(json, "timestamp");
    const ms = typeof said === "string" ? this.#dates.read(said) : undefined;
    if (ms === undefined) return refuse("no_date", `no date that can be read: ${show(said)}`);
    const sensor = this.#sensor(own(json, "type"), topic);
    if ("reason" in sensor) return sensor;
    const { min, max } = sensor.plausible;
    return {
      reading: { id, data, type: sensor.type, date: new Date(ms).toISOString(), turbine: topic.turbine },
      sensor,
      plausible: data >= min && data <= max,
      day: typeof said === "string" && isDayOnly(said),
    };
  }

  #sensor(said: unknown, topic: TopicParts): Sensor | Refused {
    const ofTopic = topic.sensor === undefined ? undefined : this.#sensors.find(topic.sensor);
    const missing = said === undefined || (typeof said === "string" && said.trim() === "");
    if (missing) return ofTopic ?? refuse("unknown_type", "no type, and the topic names no known sensor");
    const named = typeof said === "string" ? this.#sensors.find(said) : undefined;
    if (named === undefined) return refuse("unknown_type", `unknown type: ${show(said)}`);
    if (ofTopic !== undefined && ofTopic !== named) {
      return refuse("type_contradicts_topic", `type ${named.type} on the topic of ${ofTopic.type}`);
    }
    return named;
  }
}

export function refuse(reason: RejectionReason, detail: string): Refused {
  return { reason, detail };
}

/**
 * The object that `text` is, or undefined. Most of what is none ends here without JSON.parse, whose error costs five times what
 * a reading does; the error's stack alone, which nobody looks at, is half of that.
 */
function parseObject(text: string): Record<string, unknown> | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith("{") || !trimmed.endsWith("}")) return undefined;
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Thousands of brackets in each other take the parser ten times as long as any other text of their length. */
function isNestedTooDeeply(payload: Uint8Array): boolean {
  if (payload.length <= MAX_DEPTH) return false;
  let depth = 0;
  for (let at = 0; at < payload.length && depth <= MAX_DEPTH; at++) {
    const byte = payload[at];
    if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return depth > MAX_DEPTH;
}

/** A field the object has itself and that isn't null. */
function own(json: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(json, key) ? (json[key] ?? undefined) : undefined;
}

function readId(value: unknown, text: string): string | undefined {
  const id = typeof value === "number" && Number.isFinite(value) ? numberAsId(value, text) : value;
  if (typeof id !== "string" || id.trim() === "" || id.length > MAX_ID_LENGTH || UNFIT_ID.test(id))
    return undefined;
  return id;
}

/** A number beyond 2^53 has lost digits, and two ids would become one: such an id is taken as it stands in the text. */
function numberAsId(value: number, text: string): string {
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return String(value);
  const written = [...text.matchAll(LONG_ID)].map(([, digits]) => digits ?? "");
  return written.find((digits) => Number(digits) === value) ?? String(value);
}

function readNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && isNumeric(value.trim()) ? Number(value) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return undefined;
  return number === 0 ? 0 : number;
}

function isNumeric(text: string): boolean {
  return text.length <= MAX_NUMBER_LENGTH && NUMERIC.test(text);
}

/** What stood there, in a few words. Arrays and objects only by their kind: they may be nested deeper than any stack. */
function show(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return shorten(JSON.stringify(value));
}

const SHOWN_LENGTH = 80;

function shorten(text: string): string {
  return text.length <= SHOWN_LENGTH ? text : `${text.slice(0, SHOWN_LENGTH)}…`;
}
