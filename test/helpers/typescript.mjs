// Loaded by the test runner before each test file (.taprc), and so by what a test forks: TypeScript by esbuild, as in dist/.
// The runner's own loader brings the whole compiler, 0.5 s and more for every file; `npm run lint` checks the types.
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);

// The runner removes a test's folder before its teardowns if the folder was asked for first: what a teardown is to end would
// still write into it. With a teardown from the start, the folder goes last.
if (process.argv[1]?.endsWith(".test.ts")) {
  const { default: t } = await import("tap");
  const endFirst = (test) => test.teardown(() => {});
  endFirst(t);
  t.beforeEach(endFirst);
}
