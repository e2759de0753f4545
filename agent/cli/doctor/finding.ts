/** What one check found. */

export interface Finding {
  /** `note`: nothing is broken, and yet worth knowing; `skipped`: could not be looked at, the message says why. */
  state: "ok" | "failed" | "note" | "skipped";
  /** One sentence. */
  message: string;
  /** What to try, or to know. */
  hint?: string;
}

export interface Check extends Finding {
  name: CheckName;
}

/** In the order they are made: each one needs those before it, so the first that fails is the cause of what follows. */
export const CHECK_NAMES = [
  "configuration",
  "disk",
  "buffer",
  "port",
  "agent",
  "clock",
  "DNS",
  "proxy",
  "TCP",
  "TLS",
  "credentials",
  "permission",
  "stream",
  "throttling",
  "sensors",
] as const;
export type CheckName = (typeof CHECK_NAMES)[number];

export function ok(message: string, hint?: string): Finding {
  return { state: "ok", message, ...(hint === undefined ? {} : { hint }) };
}

export function failed(message: string, hint: string | undefined): Finding {
  return { state: "failed", message, ...(hint === undefined ? {} : { hint }) };
}

export function note(message: string, hint?: string): Finding {
  return { state: "note", message, ...(hint === undefined ? {} : { hint }) };
}

export function skipped(message: string): Finding {
  return { state: "skipped", message };
}
