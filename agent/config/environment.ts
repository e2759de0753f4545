/** `${NAME}` and `${NAME:-default}` in values; `$${` stands for a plain `${`. */

import type { Complaint } from "./problems.ts";
import { mapTexts, type Path, type Tree } from "./tree.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const PLACE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/** The tree with every place filled in; an empty variable counts as set only where there is no default. */
export function fillIn(tree: Tree, environment: Environment): { tree: Tree; complaints: Complaint[] } {
  const complaints: Complaint[] = [];
  const replace = (text: string, path: Path): string =>
    text.replace(PLACE, (place: string, name: string | undefined, fallback: string | undefined) => {
      if (place === "$${") return "${";
      if (name === undefined) {
        const hint = `write $\{NAME} or $\{NAME:-default}; $$\{ for a plain $\{`;
        complaints.push({ path, message: `$\{ is not followed by a name and }`, hint });
        return place;
      }
      const value = environment[name];
      if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
      if (value !== undefined) return value;
      const message = `the environment variable ${name} is not set`;
      complaints.push({ path, message, hint: `set it, or write \${${name}:-default}` });
      return place;
    });
  return { tree: mapTexts(tree, replace), complaints };
}
