/**
 * The error every part of the agent throws: what happened, what to try, whether trying again can help.
 * The command line, the log, the page and the runbook all show these same words.
 */

/** Exit codes of the command line. */
export const EXIT = { ok: 0, failed: 1, usage: 2, config: 78 } as const;

export interface FaultDetails {
  /** What the reader can do about it, one sentence. */
  hint?: string;
  /** True where the same call may succeed later without anyone doing anything. Default false. */
  retry?: boolean;
  /** What the process exits with when this ends it. Default 1. */
  exitCode?: number;
  cause?: unknown;
}

/** A failure with a stable `code` (`area.what`, e.g. `buffer.locked`); decisions rest on the code, never on the text. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: string;
  readonly hint: string | undefined;
  readonly retry: boolean;
  readonly exitCode: number;

  constructor(code: string, message: string, details: FaultDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.retry = details.retry ?? false;
    this.exitCode = details.exitCode ?? EXIT.failed;
  }
}

/** The `code` of a system or library error (`ENOSPC`, `SQLITE_FULL`, …), or undefined. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
