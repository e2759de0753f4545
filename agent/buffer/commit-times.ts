/** How many commits there were since the process started, and what they took. */
export class CommitTimes {
  commits = 0;
  readings = 0;
  seconds = 0;
  longestSeconds = 0;

  add(ms: number, readings: number): void {
    const seconds = ms / 1000;
    this.commits++;
    this.readings += readings;
    this.seconds += seconds;
    this.longestSeconds = Math.max(this.longestSeconds, seconds);
  }
}
