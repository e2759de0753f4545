/** Node as a user starts it: the test runner gives every child, by NODE_OPTIONS, hooks of its own, 0.7 s and 70 MB a process. */

/** The program `env`, and its arguments, that replace themselves by node with `args`. */
export function plainNode(args: readonly string[], nodeOptions = ""): [string, string[]] {
  return ["env", [`NODE_OPTIONS=${nodeOptions}`, process.execPath, ...args]];
}
