/** A reader that looks at the table again and again while it is made anew. */

import { readCatalog } from "../../../cloud/local/catalog.ts";
import { queryLake } from "../../../cloud/local/lake-reader.ts";

/** Rows of each day at one moment. */
export type Sighting = ReadonlyMap<string, number>;

/** Reads the table of the lake at `root` until `work` is done; what it saw. */
export async function pollDuring(root: string, work: Promise<unknown>): Promise<Sighting[]> {
  let working = true;
  const done = work.finally(() => {
    working = false;
  });
  const sightings: Sighting[] = [];
  do {
    if ((await readCatalog(root)) !== undefined) sightings.push(await look(root));
    await new Promise((resolve) => setTimeout(resolve, 250));
  } while (working);
  await done;
  return [...sightings, await look(root)];
}

async function look(root: string): Promise<Sighting> {
  const { rows } = await queryLake(root, "SELECT dt, count(*) AS n FROM readings GROUP BY dt");
  return new Map(rows.map(([day, n]) => [String(day), Number(n)]));
}

/** The first day that had fewer rows than before, or undefined. Raw data only grows, so a day never may. */
export function shrunken(sightings: readonly Sighting[]): string | undefined {
  const most = new Map<string, number>();
  for (const sighting of sightings) {
    for (const [day, rows] of most) if ((sighting.get(day) ?? 0) < rows) return day;
    for (const [day, rows] of sighting) most.set(day, rows);
  }
  return undefined;
}
