/** What became of one attempt. */
export interface Outcome {
  ok: boolean;
  /** One sentence. */
  message: string;
  /** What to try where it is not ok, or what to know where it is. */
  hint?: string;
  /** The system's own word for what went wrong, `EADDRINUSE`. */
  code?: string;
}
