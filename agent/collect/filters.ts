/** MQTT topic filters, held against each other. A plain topic is a filter too. */

/** True for a topic filter of MQTT 3.1.1, section 4.7. */
export function isFilter(filter: string): boolean {
  const levels = filter.split("/");
  return (
    filter !== "" &&
    !/[\p{Cc}\p{Cs}]/u.test(filter) &&
    levels.every((level, index) =>
      level === "#" ? index === levels.length - 1 : level === "+" || !/[+#]/.test(level),
    )
  );
}

/** A filter, or a topic, taken apart once for all the times it is compared. */
export type Levels = readonly string[];

export function levelsOf(filter: string): Levels {
  return filter.split("/");
}

/** True where every topic that `narrow` could match is matched by `wide`. */
export function covers(wide: Levels, narrow: Levels): boolean {
  if (narrow[0]?.startsWith("$") !== wide[0]?.startsWith("$")) return false;
  for (const [index, level] of wide.entries()) {
    if (level === "#") return true;
    const other = narrow[index];
    if (other === undefined || other === "#") return false;
    if (level !== "+" && level !== other) return false;
  }
  return wide.length === narrow.length;
}

/** True where there is a topic that both filters match. */
export function meet(one: string, other: string): boolean {
  const [left, right] = [one.split("/"), other.split("/")];
  for (let index = 0; ; index++) {
    const [a, b] = [left[index], right[index]];
    if (a === "#" || b === "#" || (a === undefined && b === undefined)) return true;
    if (a === undefined || b === undefined || (a !== b && a !== "+" && b !== "+")) return false;
  }
}
