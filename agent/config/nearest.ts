/** The name someone meant who wrote another. */

/** The candidate that `name` is a slip of, or undefined where none is close. */
export function nearest<T extends string>(name: string, candidates: readonly T[]): T | undefined {
  const folded = fold(name);
  let best: T | undefined;
  let bestDistance = Math.max(1, Math.floor(folded.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(folded, fold(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? beginningWith(folded, candidates);
}

/** Case and separators are the commonest slips: `maxPacket` and `max-packet` are `max_packet`. */
function fold(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

/** The only candidate that begins with the name or that the name begins with: `timezone_name`, `endpoint_url`. */
function beginningWith<T extends string>(folded: string, candidates: readonly T[]): T | undefined {
  if (folded.length < 3) return undefined;
  const fitting = candidates.filter((one) => fold(one).startsWith(folded) || folded.startsWith(fold(one)));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** Insertions, deletions, substitutions and swaps of neighbours that lead from one text to the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const cost = from[i - 1] === to[j - 1] ? 0 : 1;
      let least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + cost);
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        least = Math.min(least, at(beforeLast, j - 2) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
