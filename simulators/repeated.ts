/** An option given twice counts once, the last time, instead of becoming a list that no option is. */

/** For yargs' `middleware(…, true)`: what is given several times keeps its last value, but for the options in `lists`. */
export function lastOnes(lists: readonly string[]): (said: Record<string, unknown>) => void {
  return (said) => {
    for (const [name, value] of Object.entries(said)) {
      if (name !== "_" && !lists.includes(name) && Array.isArray(value)) said[name] = value.at(-1);
    }
  };
}
