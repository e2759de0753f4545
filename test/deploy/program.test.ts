// What the gateway's program weighs before it does anything.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { ROOT } from "../helpers/program.ts";

t.test(
  "the program's text takes a byte a character: beyond U+00FF V8 would keep all of it at two",
  async (t) => {
    const text = readFileSync(join(ROOT, "dist/windfarm.js"), "utf8");
    const wide = /[\u0100-\uffff]/.exec(text);
    t.equal(
      wide,
      null,
      `write an entity or an escape instead: ${text.slice((wide?.index ?? 0) - 40, (wide?.index ?? 0) + 40)}`,
    );
  },
);
