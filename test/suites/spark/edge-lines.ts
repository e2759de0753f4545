/** Lines at the edge of what is JSON, a date, a number. */

export function line(id: string, fields: object = {}): string {
  const reading = { id, data: 1.5, type: "Power Factor", date: "2026-11-22T12:00:00.000Z", turbine: "T01" };
  const delivery = { gateway: "gw-01", epoch: "e1", seq: 1, received: "2026-11-22T12:00:01.000Z" };
  return JSON.stringify({ ...reading, ...delivery, ...fields });
}

/** `line` with the value of `key` written as it stands here. */
function literal(id: string, key: string, value: string): string {
  return line(id.replaceAll('"', ""), { [key]: "@" }).replace('"@"', value);
}

/** Every line at some edge. */
export function edgeLines(): string[] {
  return [...oddJson(), ...notTexts(), ...dates(), ...values()];
}

/** What stands where a text should: every engine writes these in its own way, so none of them is one. */
export function notTexts(): string[] {
  const written = ["1.0", "1E2", "12345678901234567890", "1e400", "true", "null", "[1, 2.0]", '{"a": 1}'];
  const fields = ["id", "type", "date", "turbine", "gateway", "epoch", "received"];
  return fields.flatMap((field) => written.map((value) => literal(`${field} ${value}`, field, value)));
}

export function oddJson(): string[] {
  return [
    literal("nan", "data", "NaN"),
    literal("infinity", "data", "-Infinity"),
    literal("huge", "data", "1e400"),
    literal("negative-zero", "data", "-0.0"),
    literal("zero", "data", "0"),
    literal("leading-zero", "data", "007"),
    literal("seq-float", "seq", "1.0"),
    literal("seq-exponent", "seq", "1e3"),
    literal("seq-long", "seq", "999999999999999"),
    literal("seq-too-long", "seq", "9007199254740993"),
    literal("seq-far-too-long", "seq", "999999999999999999"),
    literal("boolean", "data", "true"),
    literal("list", "data", "[1, 2.0]"),
    literal("twice", "data", '1,"data":2'),
    `${line("trailing")} x`,
    `${line("two")}${line("values")}`,
    line("escapes").replace("escapes", "\\ud800 \\u00e9 \\ud83d\\ude00 \\u0001"),
    line("control").replace("control", "a\u0001b"),
    "\ufeff",
    "  \t ",
    `\ufeff${line("mark")}`,
    `${"{".repeat(50)}`,
    `"${"😀".repeat(3_000)}`,
  ];
}

export function dates(): string[] {
  return [
    "2026-11-22",
    "2026-11-22T23:59:59.999Z",
    "2026-11-22T24:00:00.000Z",
    "2026-11-22T12:60:00.000Z",
    "2026-11-22T12:00:60.000Z",
    "2026-02-29T00:00:00.000Z",
    "2024-02-29T00:00:00.000Z",
    "0000-01-01T00:00:00.000Z",
    "0001-01-01T00:00:00.000Z",
    "1582-10-10T00:00:00.000Z",
    "1899-12-31",
    "9999-12-31T23:59:59.999Z",
    "2026-11-22T12:00:00Z",
    "2026-11-22 12:00:00",
    "2026",
    "epoch",
    "now",
    "",
  ].map((date) => line(`date ${date}`, { date }));
}

export function values(): string[] {
  return [
    "1d",
    "0x1p3",
    "1_000",
    " 1",
    "1 ",
    "+1",
    ".5",
    "5.",
    "1e308",
    "1e309",
    "4.9e-324",
    "1e-400",
    "",
    "NaN",
    "٣",
  ].map((data) => line(`value ${data}`, { data }));
}
