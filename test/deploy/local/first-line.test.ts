import { join } from "node:path";
import t from "tap";
import { firstLineOf } from "../../../deploy/local/first-line.ts";
import { ROOT } from "../../helpers/program.ts";

t.test("A program is run with the memory that its first line grants it", async (t) => {
  t.strictSame(firstLineOf(join(ROOT, "dist/windfarm.js")), {
    nodeArguments: ["--max-semi-space-size=1", "--heap-growing-percent=25", "--single-threaded-gc"],
    env: { MALLOC_TRIM_THRESHOLD_: "8388608", MALLOC_ARENA_MAX: "1" },
  });
});

t.test("A first line that says nothing to node asks for nothing", async (t) => {
  const folder = t.testdir({
    plain: "console.log(1)\n",
    shell: "#!/bin/sh\nexit 0\n",
    bare: "#!/usr/bin/env node\n",
    split: "#!/usr/bin/env -S node\n",
    empty: "",
  });
  for (const file of ["plain", "shell", "bare", "split", "empty"])
    t.strictSame(firstLineOf(join(folder, file)), { nodeArguments: [], env: {} });
});
