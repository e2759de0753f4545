/** One spelling must not mean two sensors. */

import { DEFAULT_SENSORS, foldName, SENSOR_TYPES, type SensorType } from "../contract/sensors.ts";
import type { Complaint } from "./problems.ts";
import { type Path, pathText, type Tree, treeAt } from "./tree.ts";

interface Spelling {
  name: string;
  type: SensorType;
  /** Where it stands in the file; undefined for a canonical name, a slug or a default. */
  path: Path | undefined;
}

export function aliasRule(tree: Tree): Complaint[] {
  const complaints: Complaint[] = [];
  const taken = new Map<string, Spelling>();
  const spellings = SENSOR_TYPES.flatMap((type) => spellingsOf(tree, type));
  // Names of the program's own first, so that a clash is told where the file can cure it.
  for (const spelling of [...spellings.filter((one) => !one.path), ...spellings.filter((one) => one.path)]) {
    const folded = foldName(spelling.name);
    const other = taken.get(folded);
    if (other === undefined) taken.set(folded, spelling);
    if (spelling.path === undefined) continue;
    const name = pathText(spelling.path);
    if (folded === "") {
      complaints.push({
        path: spelling.path,
        message: `${name}: "${spelling.name}" has neither letters nor digits`,
      });
    } else if (other !== undefined && other.type !== spelling.type) {
      const message = `${name}: "${spelling.name}" would mean both ${other.type} and ${spelling.type}`;
      const hint =
        other.path === undefined
          ? `it is a spelling of ${other.type}; remove it here, or give ${other.type} aliases of its own`
          : `the other one is ${pathText(other.path)}; keep one of them`;
      complaints.push({ path: spelling.path, message, hint });
    }
  }
  return complaints;
}

function spellingsOf(tree: Tree, type: SensorType): Spelling[] {
  const path: Path = ["readings", "types", type, "aliases"];
  const { slug, aliases } = DEFAULT_SENSORS[type];
  const written = treeAt(tree, path);
  const own = [type, slug, ...(Array.isArray(written) ? [] : aliases)];
  const listed = Array.isArray(written) ? written : [];
  return [
    ...own.map((name) => ({ name, type, path: undefined })),
    ...listed.flatMap((name, index) =>
      typeof name === "string" ? [{ name, type, path: [...path, index] }] : [],
    ),
  ];
}
