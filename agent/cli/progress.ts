/** How far long work has come: one line that is rewritten, for a person who watches, and nothing where a program reads. */

/** Standard error, or what stands in for it. */
export interface Terminal {
  isTTY?: boolean;
  write(text: string): unknown;
}

const EVERY_MS = 100;
/** Back to the line's start, and what stood there erased. */
const AGAIN = "\r\x1b[K";

/** Runs `work`, which tells by `look` how many readings it has come to; `verb`: what became of them, "checked". */
export async function withProgress<T>(
  verb: string,
  work: (look: (readings: number) => void) => T | Promise<T>,
  terminal: Terminal = process.stderr,
  nowMs: () => number = () => performance.now(),
): Promise<T> {
  let dueMs = Number.NEGATIVE_INFINITY;
  const look = (readings: number): void => {
    if (terminal.isTTY !== true || nowMs() < dueMs) return;
    dueMs = nowMs() + EVERY_MS;
    terminal.write(`${AGAIN}${readings} readings ${verb} so far …`);
  };
  try {
    return await work(look);
  } finally {
    if (dueMs > 0) terminal.write(AGAIN);
  }
}
