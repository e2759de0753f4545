/**
 * The kinds of settings, as zod schemas. Every scalar of the file comes as its text (`8`, `true`, `20ms`), so that
 * `${ENV}` can stand for any of them and `id: 0042` stays what was written; the kind reads it.
 */

import * as z from "zod";
import { parseDuration, parseSize } from "../common/units.ts";
import { type ListenAddress, readListen, readTarget } from "./addresses.ts";
import { nearest } from "./nearest.ts";
import { Unfit } from "./unfit.ts";

export const FIELD_KINDS = [
  "text",
  "secret",
  "file",
  "integer",
  "number",
  "flag",
  "choice",
  "duration",
  "size",
  "url",
] as const;
export type FieldKind = (typeof FIELD_KINDS)[number];

/** What is known of a field besides how to read it. */
export interface FieldMeta {
  kind: FieldKind;
  minimum?: number;
  maximum?: number;
  choices?: readonly string[];
  pattern?: string;
  examples?: readonly string[];
}

const EMPTY = new Unfit("is empty", "write a value, or remove the line");

function field<T>(meta: FieldMeta, read: (text: string) => T | Unfit) {
  return z
    .string()
    .transform((text, context): T => {
      const value = read(text.trim());
      if (!(value instanceof Unfit)) return value;
      context.issues.push({
        code: "custom",
        message: value.problem,
        input: text,
        params: { hint: value.hint },
      });
      return z.NEVER;
    })
    .meta({ ...meta });
}

/** A text that isn't empty; `pattern` with the sentence that explains it. */
export function text(fit?: { pattern: RegExp; problem: string; hint: string }) {
  return field({ kind: "text", ...(fit && { pattern: fit.pattern.source }) }, (value) => {
    if (value === "") return EMPTY;
    if (fit !== undefined && !fit.pattern.test(value))
      return new Unfit(`"${value}" ${fit.problem}`, fit.hint);
    return value;
  });
}

/** A text that may be anything, blanks included, and is never shown. */
export function secret() {
  return z
    .string()
    .min(1)
    .meta({ kind: "secret" } satisfies FieldMeta);
}

/** Path of a file that must be there and readable; `files.ts` looks. */
export function file() {
  return field({ kind: "file" }, (value) => (value === "" ? EMPTY : value));
}

export function integer(min: number, max: number) {
  return field({ kind: "integer", minimum: min, maximum: max }, (value) => {
    const range = `write a whole number from ${min} to ${max}`;
    if (!/^[+-]?\d+$/.test(value)) return new Unfit(`"${value}" is not a whole number`, range);
    const number = Number(value);
    return number < min || number > max ? new Unfit(`${value} is out of range`, range) : number;
  });
}

export function decimal() {
  return field({ kind: "number" }, (value) => {
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value);
    return new Unfit(`"${value}" is not a number`, "write it with digits and a point, such as 0.5");
  });
}

export function flag() {
  return field({ kind: "flag" }, (value) => {
    if (value === "true" || value === "false") return value === "true";
    return new Unfit(`"${value}" is neither true nor false`);
  });
}

export function choice<const T extends string>(choices: readonly T[]) {
  return field({ kind: "choice", choices }, (value) => {
    const found = choices.find((one) => one === value);
    if (found !== undefined) return found;
    const meant = nearest(value, choices);
    const hint = meant === undefined ? undefined : `did you mean ${meant}?`;
    return new Unfit(`"${value}" is not one of ${choices.join(", ")}`, hint);
  });
}

/** A duration between two others; read as milliseconds. */
export function duration(min: string, max: string) {
  return field({ kind: "duration", examples: ["20ms", "1s", "5m"] }, (value) =>
    within(value, parseDuration, [min, max], "duration", "write a number and a unit: ms, s, m, h, d"),
  );
}

/** A size between two others; read as bytes. */
export function size(min: string, max: string) {
  return field({ kind: "size", examples: ["64KiB", "2GiB"] }, (value) =>
    within(value, parseSize, [min, max], "size", "write a number and a unit: KiB, MiB, GiB, kB, MB, GB"),
  );
}

function within(
  value: string,
  parse: (text: string) => number | undefined,
  [min, max]: readonly [string, string],
  kind: string,
  units: string,
): number | Unfit {
  const amount = parse(value);
  if (amount === undefined) {
    const bare = /^\d+(\.\d+)?$/.test(value) && Number(value) !== 0;
    return new Unfit(bare ? `${value} has no unit` : `"${value}" is not a ${kind}`, units);
  }
  const [least, most] = [parse(min) ?? 0, parse(max) ?? Number.POSITIVE_INFINITY];
  if (amount >= least && amount <= most) return amount;
  return new Unfit(`${value} is out of range`, `write something from ${min} to ${max}`);
}

/** `scheme://host:port` of a server of ours. */
export function listen(schemes: readonly string[]) {
  return field({ kind: "url" }, (value): ListenAddress | Unfit => readListen(value, schemes));
}

/** A URL without credentials; read as its text. */
export function url(schemes: readonly string[], example: string) {
  return field({ kind: "url" }, (value) => {
    const read = readTarget(value, schemes, example);
    return read instanceof Unfit ? read : value.replace(/\/$/, "");
  });
}

/** A text that `read` takes, or says why not. */
export function checked<T>(read: (text: string) => T | Unfit, kind: FieldKind = "text") {
  return field({ kind }, read);
}

/** Settings below a key; a key with nothing below it is an empty section. */
export function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.preprocess((value) => (value === null ? {} : value), z.strictObject(shape));
}

/** The entries that have a value: what is optional and was not given is absent, not undefined. */
export function given<T extends object>(entries: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
