/**
 * When a file that made trouble is to be believed no more. SQLite reports a sector that could not be read as damage in
 * places, and a disk under strain gives the next time what it refused before; so the same thing is tried again on the file
 * opened anew, and only where it fails again is the file set aside.
 */

/** What was being done; each is trusted again when it succeeds. */
export type Task = "lease" | "commit" | "change" | "upkeep" | "reopen";

/** Failures of one task, with no success between them, that are too many. */
export const TRIES = { damaged: 1, malformed: 2, unreadable: 5 } as const;

export class Suspicion {
  readonly #failures = new Map<Task, number>();

  /** True while something failed that has not succeeded since. */
  get isThere(): boolean {
    return this.#failures.size > 0;
  }

  /** Counts a failure; true where it is one too many. */
  failed(task: Task, kind: keyof typeof TRIES): boolean {
    const failures = (this.#failures.get(task) ?? 0) + 1;
    this.#failures.set(task, failures);
    return failures >= TRIES[kind];
  }

  succeeded(task: Task): void {
    if (this.#failures.size > 0) this.#failures.delete(task);
  }

  /** The file is another one. */
  clear(): void {
    this.#failures.clear();
  }
}
