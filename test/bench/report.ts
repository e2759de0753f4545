/** What a benchmark found, beside what it is to reach. */

export interface Figure {
  what: string;
  value: number;
  unit: string;
  /** The goal, and on which side of it is good. */
  goal?: number;
  better?: "more" | "less";
}

export interface Bench {
  name: string;
  /** One line for `--list`. */
  about: string;
  run(folder: string, plan: { quick: boolean }): Promise<Figure[] | { skipped: string }>;
}

export function reached({ value, goal, better }: Figure): boolean | undefined {
  if (goal === undefined) return undefined;
  return better === "less" ? value <= goal : value >= goal;
}

export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.what,
    `${round(figure.value)} ${figure.unit}`.trim(),
    figure.goal === undefined ? "" : `${figure.better === "less" ? "≤" : "≥"} ${round(figure.goal)}`,
    { true: "reached", false: "MISSED", undefined: "" }[String(reached(figure))] ?? "",
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(([what = "", value = "", goal = "", verdict = ""]) =>
      [what.padEnd(widths[0] ?? 0), value.padStart(widths[1] ?? 0), goal.padStart(widths[2] ?? 0), verdict]
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function round(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits }).replaceAll(",", " ");
}
