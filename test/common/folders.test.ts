import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { makeFolders } from "../../agent/common/folders.ts";

t.test("what is missing is made, what is there is left alone", (t) => {
  const below = join(t.testdir({}), "a/b/c");
  makeFolders(below, 0o750);
  makeFolders(below);
  t.equal(statSync(below).mode & 0o777, 0o750);
  t.end();
});

t.test("what can't be made is told as the system tells it, also where it says ENOENT for ever", (t) => {
  const file = join(t.testdir({}), "file");
  writeFileSync(file, "");
  t.throws(() => makeFolders(join(file, "below")), { code: "ENOTDIR" });
  if (existsSync("/proc/self")) t.throws(() => makeFolders("/proc/none/below"), { code: "ENOENT" });
  t.end();
});
