// Loaded by the test runner before each test file (.taprc): TypeScript by esbuild, as in dist/. The runner's own loader
// brings the whole compiler, 0.5 s and more for every file; `npm run lint` checks the types.
import { register } from "node:module";

register("./typescript-hooks.mjs", import.meta.url);
