/** Reads what strace recorded: the order in which bytes went to files and to sockets, and when files were synced. */

import { readFileSync } from "node:fs";

export type Op =
  | { kind: "write"; file: string; offset: number; data: Buffer }
  | { kind: "truncate"; file: string; length: number }
  | { kind: "unlink"; file: string }
  /** Everything written to the file before is on the disk. */
  | { kind: "sync"; file: string }
  /** Bytes that left through a socket, or were appended to a plain file. */
  | { kind: "send"; to: string; data: Buffer };

/** Arguments strace needs for `readTrace`. */
export const STRACE_ARGS = [
  "-f",
  "-y",
  "-xx",
  "-s",
  "2000000",
  "-e",
  "trace=pwrite64,write,writev,sendmsg,sendto,fsync,fdatasync,ftruncate,unlink",
  "-e",
  "signal=none",
];

const LINE = /^(\d+)\s+(.*)$/;
const CALL = /^(\w+)\((.*)\)\s+=\s+(-?\d+)/s;
const UNFINISHED = / <unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. (\w+) resumed>\s*(.*)$/s;
const FD = /^\d+<((?:\\x[0-9a-f]{2})+|[^>]*)>/;

/**
 * The operations on files whose path `wanted` accepts, and all that was sent, in order. A write counts from where it began and a
 * sync from where it ended: the order that is worst for the program.
 */
export function readTrace(path: string, wanted: (file: string) => boolean): Op[] {
  const ops: Op[] = [];
  const open = new Map<string, { name: string; args: string; at: number }>();
  for (const line of readFileSync(path, "latin1").split("\n")) {
    const [, pid = "", text = ""] = LINE.exec(line) ?? [];
    const resumed = RESUMED.exec(text);
    if (resumed !== null) {
      const begun = open.get(pid);
      open.delete(pid);
      const result = Number(/=\s+(-?\d+)/.exec(resumed[2] ?? "")?.[1]);
      if (begun !== undefined && result >= 0 && isSync(begun.name))
        push(ops, begun.name, begun.args, 0, wanted);
      continue;
    }
    if (UNFINISHED.test(text)) {
      const [, name = "", args = ""] = /^(\w+)\((.*)$/s.exec(text.replace(UNFINISHED, "")) ?? [];
      open.set(pid, { name, args, at: ops.length });
      if (!isSync(name)) push(ops, name, args, undefined, wanted);
      continue;
    }
    const [, name = "", args = "", result = ""] = CALL.exec(text) ?? [];
    if (name !== "" && Number(result) >= 0) push(ops, name, args, Number(result), wanted);
  }
  return ops;
}

function isSync(name: string): boolean {
  return name === "fsync" || name === "fdatasync";
}

function push(
  ops: Op[],
  name: string,
  args: string,
  result: number | undefined,
  wanted: (file: string) => boolean,
): void {
  if (name === "unlink") {
    const file = fromHex(/"([^"]*)"/.exec(args)?.[1] ?? "").toString();
    if (wanted(file)) ops.push({ kind: "unlink", file });
    return;
  }
  const file = fromHex(FD.exec(args)?.[1] ?? "").toString();
  if (name.startsWith("write") || name.startsWith("send")) {
    const data = Buffer.concat(
      [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((match) => fromHex(match[1] ?? "")),
    );
    ops.push({ kind: "send", to: file, data: result === undefined ? data : data.subarray(0, result) });
    return;
  }
  if (!wanted(file)) return;
  if (isSync(name)) ops.push({ kind: "sync", file });
  else if (name === "ftruncate")
    ops.push({ kind: "truncate", file, length: Number(/,\s*(\d+)/.exec(args)?.[1]) });
  else if (name === "pwrite64") {
    const [, hex = "", offset = "0"] = /"((?:\\x[0-9a-f]{2})*)",\s*\d+,\s*(\d+)/.exec(args) ?? [];
    const data = fromHex(hex);
    ops.push({
      kind: "write",
      file,
      offset: Number(offset),
      data: result === undefined ? data : data.subarray(0, result),
    });
  }
}

function fromHex(text: string): Buffer {
  return text.includes("\\x") ? Buffer.from(text.replaceAll("\\x", ""), "hex") : Buffer.from(text, "latin1");
}
