/** Where the buffer is to stand: its file can't be a folder, nor stand below a file. */

import { dirname, resolve } from "node:path";
import type { PathKind } from "./files.ts";
import type { Complaint } from "./problems.ts";
import { type Path, type Tree, textAt } from "./tree.ts";

const BUFFER: Path = ["buffer", "path"];

export function checkPaths(tree: Tree, kindOf: (path: string) => PathKind | undefined): Complaint[] {
  const path = textAt(tree, BUFFER);
  if (path === undefined || path === "") return [];
  const complain = (message: string): Complaint[] => [
    {
      path: BUFFER,
      message: `buffer.path: ${message}`,
      hint: "name a file, such as /var/lib/windfarm/buffer.db",
    },
  ];
  const kind = kindOf(path);
  if (kind === "folder" || path.endsWith("/")) return complain(`${path} is a folder`);
  if (kind === "other") return complain(`${path} is no file but a device, a pipe or a socket`);
  if (kind === "file") return [];
  const above = lowestAbove(resolve(path), kindOf);
  return kindOf(above) === "folder" ? [] : complain(`${above} is not a folder`);
}

/** The lowest folder or file above `path` that there is. */
function lowestAbove(path: string, kindOf: (path: string) => PathKind | undefined): string {
  const above = dirname(path);
  return kindOf(above) !== undefined || above === dirname(above) ? above : lowestAbove(above, kindOf);
}
