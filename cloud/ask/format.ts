/** Rows as a table for people, as CSV, as JSON. */

import type { QueryResult } from "../local/lake-reader.ts";

export type Format = "table" | "csv" | "json";

export function formatted(result: QueryResult, format: Format): string {
  if (format === "json") return asJson(result);
  return format === "csv" ? asCsv(result) : asTable(result);
}

/** An array of objects; whole numbers beyond 2^53 as strings, times in ISO 8601 with Z. */
function asJson({ columns, rows }: QueryResult): string {
  const objects = rows.map((row) =>
    Object.fromEntries(columns.map(({ name }, index) => [name, plain(row[index])])),
  );
  return `[${objects.map((object) => `\n${JSON.stringify(object)}`).join(",")}${objects.length > 0 ? "\n" : ""}]\n`;
}

/** RFC 4180, with the names first. */
function asCsv({ columns, rows }: QueryResult): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => row.map(asText))];
  return lines.map((fields) => `${fields.map(csvField).join(",")}\r\n`).join("");
}

function asTable({ columns, rows }: QueryResult): string {
  const cells = rows.map((row) => row.map(asText));
  const widths = columns.map(({ name }, column) =>
    Math.max(width(name), ...cells.slice(0, MEASURED_ROWS).map((row) => width(row[column] ?? ""))),
  );
  const right = columns.map(({ type }) => /INT|DOUBLE|FLOAT|DECIMAL/.test(type));
  const line = (fields: readonly string[]) =>
    fields
      .map((field, column) => {
        const blanks = " ".repeat(Math.max(0, (widths[column] ?? 0) - width(field)));
        return right[column] ? blanks + field : field + blanks;
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((cells) => "─".repeat(cells)).join("  ");
  const count = `(${rows.length} ${rows.length === 1 ? "row" : "rows"})`;
  return `${[line(columns.map(({ name }) => name)), rule, ...cells.map(line), count].join("\n")}\n`;
}

/** Rows whose cells set the columns' widths. */
const MEASURED_ROWS = 10_000;

function width(text: string): number {
  return [...text].length;
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function asText(value: unknown): string {
  const simple = plain(value);
  if (simple === null) return "";
  if (typeof simple === "string") return simple;
  if (typeof simple === "number") return shortNumber(simple);
  return typeof simple === "object" ? JSON.stringify(simple) : String(simple);
}

/** Fifteen digits at most: a mean of 0.97 is not shown as 0.9700000000000001. */
function shortNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(15)));
}

/** A value as JSON has it. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Date) return value.toISOString();
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
  }
  return value;
}
