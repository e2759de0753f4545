import { statSync } from "node:fs";
import { codeOf } from "../errors.ts";

/** Changes with every write of the file, when another takes its name, and when it comes or goes. */
export function stampOf(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return codeOf(error) ?? "";
  }
}
