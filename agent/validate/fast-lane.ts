/**
 * The fast lane: a reading that already stands in the contract's strict form is checked byte by byte and its own
 * bytes become the head of the shipped reading. It understands one JSON object with the keys id, data, type and date,
 * each once, in any order, with or without single blanks; printable ASCII without escapes; a canonical number; a
 * canonical type; a canonical date. Everything else returns false and takes the slow lane (contract/reading.ts).
 * Invariant: where it says yes, the slow lane would have written the same bytes.
 */

import { MAX_ID_LENGTH } from "../contract/reading.ts";
import type { Sensor } from "../contract/sensors.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const BLANK = 0x20;
const DOT = 0x2e;
const MINUS = 0x2d;
const ZERO = 0x30;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Decimals of up to 15 digits are told apart by a double, so their text is the shortest one. */
const EXACT_DIGITS = 15;
/** Below 1e-6 JavaScript writes an exponent: at most five zeros may follow the point. */
const MAX_LEADING_ZEROS = 5;
const POWERS_OF_TEN = Array.from({ length: EXACT_DIGITS + MAX_LEADING_ZEROS + 2 }, (_, power) => 10 ** power);
const DAYS = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DATE_LENGTH = 24;
/** The longest head there is: an id, the names and the rest. */
const SCRATCH_BYTES = MAX_ID_LENGTH + 256;

interface TypeName {
  sensor: Sensor;
  bytes: Buffer;
}

export class FastLane {
  /** Set by a successful `read`: the head, valid until the next call. */
  head: Uint8Array = Buffer.alloc(0);
  sensor: Sensor;
  data = 0;

  readonly #types: readonly TypeName[];
  readonly #scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  #at = 0;
  #idStart = 0;
  #idEnd = 0;
  #dataStart = 0;
  #dataEnd = 0;
  #dateStart = 0;
  #typeIndex = -1;

  constructor(sensors: readonly [Sensor, ...Sensor[]]) {
    this.sensor = sensors[0];
    this.#types = sensors.map((sensor) => ({ sensor, bytes: Buffer.from(sensor.type) }));
  }

  /** @param expected the sensor the topic names; another type in the payload is the slow lane's to refuse */
  read(bytes: Uint8Array, expected: Sensor | undefined): boolean {
    if (bytes[0] !== OPEN) return false;
    this.#at = 1;
    this.#idStart = this.#dataStart = this.#dateStart = 0;
    this.#typeIndex = -1;
    let plain = true;
    for (let field = 0; field < 4; field++) {
      if (field > 0 && bytes[this.#at++] !== COMMA) return false;
      plain = !this.#skipBlank(bytes) && plain;
      const key = this.#key(bytes);
      if (bytes[this.#at++] !== COLON) return false;
      plain = !this.#skipBlank(bytes) && plain && key === field;
      if (!this.#value(bytes, key)) return false;
    }
    if (bytes[this.#at] !== CLOSE || this.#at !== bytes.length - 1) return false;
    const type = this.#types[this.#typeIndex];
    if (type === undefined || (expected !== undefined && expected !== type.sensor)) return false;
    this.sensor = type.sensor;
    this.head = plain ? bytes : this.#compose(bytes, type);
    return true;
  }

  #skipBlank(bytes: Uint8Array): boolean {
    if (bytes[this.#at] !== BLANK) return false;
    this.#at++;
    return true;
  }

  /** 0 id, 1 data, 2 type, 3 date, -1 another. */
  #key(b: Uint8Array): number {
    const at = this.#at;
    if (b[at] !== QUOTE) return -1;
    if (b[at + 3] === QUOTE && b[at + 1] === 0x69 && b[at + 2] === 0x64) {
      this.#at = at + 4;
      return 0;
    }
    if (b[at + 5] !== QUOTE) return -1;
    this.#at = at + 6;
    const [c1, c2, c3, c4] = [b[at + 1], b[at + 2], b[at + 3], b[at + 4]];
    if (c1 === 0x64 && c2 === 0x61 && c3 === 0x74) return c4 === 0x61 ? 1 : c4 === 0x65 ? 3 : -1;
    return c1 === 0x74 && c2 === 0x79 && c3 === 0x70 && c4 === 0x65 ? 2 : -1;
  }

  #value(bytes: Uint8Array, key: number): boolean {
    if (key === 0) return this.#idStart === 0 && this.#id(bytes);
    if (key === 1) return this.#dataStart === 0 && this.#number(bytes);
    if (key === 2) return this.#typeIndex === -1 && this.#type(bytes);
    return key === 3 && this.#dateStart === 0 && this.#date(bytes);
  }

  #id(bytes: Uint8Array): boolean {
    let at = this.#at;
    if (bytes[at++] !== QUOTE || bytes[at] === BLANK) return false;
    this.#idStart = at;
    for (; ; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === QUOTE) break;
      if (byte < BLANK || byte > 0x7e || byte === BACKSLASH) return false;
    }
    this.#idEnd = at;
    this.#at = at + 1;
    return at > this.#idStart && at - this.#idStart <= MAX_ID_LENGTH;
  }

  #number(bytes: Uint8Array): boolean {
    let at = this.#at;
    this.#dataStart = at;
    const negative = bytes[at] === MINUS;
    if (negative) at++;
    const first = at;
    let mantissa = 0;
    let digit = digitAt(bytes, at);
    for (; digit >= 0; digit = digitAt(bytes, ++at)) mantissa = mantissa * 10 + digit;
    const whole = at - first;
    if (whole === 0 || (whole > 1 && bytes[first] === ZERO)) return false;
    let decimals = 0;
    if (bytes[at] === DOT) {
      const point = at++;
      for (digit = digitAt(bytes, at); digit >= 0; digit = digitAt(bytes, ++at))
        mantissa = mantissa * 10 + digit;
      decimals = at - point - 1;
      if (decimals === 0 || bytes[at - 1] === ZERO) return false;
    }
    if (mantissa === 0 && negative) return false;
    this.#at = this.#dataEnd = at;
    if (whole + decimals > EXACT_DIGITS) return this.#longNumber(bytes);
    const value = mantissa / (POWERS_OF_TEN[decimals] ?? Number.NaN);
    if (value !== 0 && value < 1e-6) return false;
    this.data = negative ? -value : value;
    return true;
  }

  /** More digits than a double tells apart: only its shortest text is canonical. */
  #longNumber(bytes: Uint8Array): boolean {
    if (this.#dataEnd - this.#dataStart > 24) return false;
    const text = String.fromCharCode(...bytes.subarray(this.#dataStart, this.#dataEnd));
    this.data = Number(text);
    return String(this.data) === text;
  }

  #type(bytes: Uint8Array): boolean {
    const start = this.#at + 1;
    if (bytes[this.#at] !== QUOTE) return false;
    for (const [index, { bytes: name }] of this.#types.entries()) {
      const end = start + name.length;
      if (bytes[end] !== QUOTE || !sameAt(bytes, start, name)) continue;
      this.#typeIndex = index;
      this.#at = end + 1;
      return true;
    }
    return false;
  }

  #date(b: Uint8Array): boolean {
    const at = this.#at + 1;
    this.#dateStart = at;
    this.#at = at + DATE_LENGTH + 1;
    if (b[at - 1] !== QUOTE || b[at + DATE_LENGTH] !== QUOTE || b[at + 23] !== 0x5a) return false;
    if (b[at + 4] !== MINUS || b[at + 7] !== MINUS || b[at + 10] !== 0x54) return false;
    if (b[at + 13] !== COLON || b[at + 16] !== COLON || b[at + 19] !== DOT) return false;
    const year = pairAt(b, at) * 100 + pairAt(b, at + 2);
    const month = pairAt(b, at + 5);
    const day = pairAt(b, at + 8);
    // A pair that is no number is NaN, and every comparison with NaN is false.
    if (!(year >= 1 && month >= 1 && day >= 1 && day <= (DAYS[month] ?? 0))) return false;
    if (month === 2 && day === 29 && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)))
      return false;
    if (!(pairAt(b, at + 11) <= 23 && pairAt(b, at + 14) <= 59 && pairAt(b, at + 17) <= 59)) return false;
    return digitAt(b, at + 20) >= 0 && pairAt(b, at + 21) >= 0;
  }

  #compose(bytes: Uint8Array, type: TypeName): Uint8Array {
    const out = this.#scratch;
    let end = out.write('{"id":"', 0, "latin1");
    end = put(out, end, bytes, this.#idStart, this.#idEnd);
    end += out.write('","data":', end, "latin1");
    end = put(out, end, bytes, this.#dataStart, this.#dataEnd);
    end += out.write(',"type":"', end, "latin1");
    end = put(out, end, type.bytes, 0, type.bytes.length);
    end += out.write('","date":"', end, "latin1");
    end = put(out, end, bytes, this.#dateStart, this.#dateStart + DATE_LENGTH + 1);
    out[end++] = CLOSE;
    return out.subarray(0, end);
  }
}

function put(out: Buffer, end: number, from: Uint8Array, start: number, stop: number): number {
  out.set(from.subarray(start, stop), end);
  return end + stop - start;
}

/** The digit's value, or a negative number where there is none. */
function digitAt(bytes: Uint8Array, at: number): number {
  const digit = (bytes[at] ?? 0) - ZERO;
  return digit <= 9 ? digit : -1;
}

/** The two-digit number at `at`, or NaN. */
function pairAt(bytes: Uint8Array, at: number): number {
  const tens = digitAt(bytes, at);
  const ones = digitAt(bytes, at + 1);
  return tens < 0 || ones < 0 ? Number.NaN : tens * 10 + ones;
}

function sameAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
