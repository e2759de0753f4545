/** Answers of different engines side by side. */

type Rows = readonly (readonly unknown[])[];

/** As many differences are shown as can be looked at. */
const SHOWN = 5;

/** The rows that only one answer has, each as often as it has it more; the order does not count, for equal places have none. */
export function differences(answer: Rows, expected: Rows): string[] {
  const surplus = new Map<string, number>();
  for (const row of answer) count(surplus, comparable(row), 1);
  for (const row of expected) count(surplus, comparable(row), -1);
  const differing = [...surplus].filter(([, times]) => times !== 0);
  return differing
    .slice(0, SHOWN)
    .map(([row, times]) => `${times > 0 ? "too much" : "missing"}: ${row}`)
    .concat(differing.length > SHOWN ? [`and ${differing.length - SHOWN} more`] : []);
}

function count(rows: Map<string, number>, row: string, times: number): void {
  rows.set(row, (rows.get(row) ?? 0) + times);
}

function comparable(row: readonly unknown[]): string {
  return JSON.stringify(row.map(plain));
}

/** Numbers to 9 digits, for a mean's last ones depend on the order of its sum; times in one form. */
function plain(value: unknown): string | number | null {
  if (value === null) return null;
  const written = value instanceof Date ? value.toISOString().slice(0, 23) : String(value);
  // DuckDB's binding takes a byte order mark off a text's beginning; in the files it stands.
  const text = written.replace(/^\ufeff/, "");
  if (/^-?[0-9.]+(e[-+]?[0-9]+)?$/i.test(text)) return Number(Number(text).toPrecision(9));
  const time = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(?::(\d{2}(?:[.]\d+)?))?$/.exec(text);
  return time === null ? text : `${time[1]} ${time[2]}:${Number(time[3] ?? 0)}`;
}
