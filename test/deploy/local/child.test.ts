import { join } from "node:path";
import t from "tap";
import { nodeArguments } from "../../../deploy/local/child.ts";
import { ROOT } from "../../helpers/program.ts";

t.test("A program is run with the memory that its first line grants it", async (t) => {
  t.strictSame(nodeArguments(join(ROOT, "dist/windfarm.js")), ["--max-semi-space-size=1"]);
});

t.test("A first line that says nothing to node asks for nothing", async (t) => {
  const folder = t.testdir({
    plain: "console.log(1)\n",
    shell: "#!/bin/sh\nexit 0\n",
    bare: "#!/usr/bin/env node\n",
    empty: "",
  });
  for (const file of ["plain", "shell", "bare", "empty"]) t.strictSame(nodeArguments(join(folder, file)), []);
});
