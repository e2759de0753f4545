/** What a reader answers for a text it can't take: why, and what to write instead. */
export class Unfit {
  /** Follows the setting's name: `"12" has no unit`. */
  readonly problem: string;
  readonly hint: string | undefined;

  constructor(problem: string, hint?: string) {
    this.problem = problem;
    this.hint = hint;
  }
}
