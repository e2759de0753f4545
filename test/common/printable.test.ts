import t from "tap";
import { printable, printableJson, printableLines } from "../../agent/common/printable.ts";
import { createLogger } from "../../agent/observe/log.ts";

/** Clears the screen, names the window, begins 8-bit sequences, turns the reading order, deletes. */
const HOSTILE = "a\x1b[2J\x1b]0;x\x07\x9b31m\u202eb\u2066\x7f\r\n\tc\u2028\ud800";
/** What a terminal obeys, or what shows text other than it is. */
const OBEYED = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u;

t.test("what would steer the terminal becomes visible", async (t) => {
  t.equal(printable(HOSTILE), "a\\x1b[2J\\x1b]0;x\\x07\\x9b31m\\u202eb\\u2066\\x7f\\r\\n\\tc\\u2028\\ud800");
  t.equal(printableLines("a\nb\x1b"), "a\nb\\x1b");
  t.equal(printable("23 °C, Größe, 風力, 🌬"), "23 °C, Größe, 風力, 🌬", "words in any script are left alone");
});

t.test("JSON stays the same JSON", async (t) => {
  const json = printableJson(JSON.stringify({ topic: HOSTILE }, null, 2));
  t.notMatch(json, OBEYED);
  t.same(JSON.parse(json), { topic: HOSTILE });
});

t.test("the readable log obeys nobody either", async (t) => {
  let said = "";
  const log = createLogger({ level: "info", pretty: true, output: { write: (line) => (said += line) } });
  log.info({ topic: HOSTILE, deep: [{ [HOSTILE]: HOSTILE }] }, HOSTILE);
  log.warn({ err: new TypeError(HOSTILE) }, "x");
  t.notMatch(said, OBEYED);
  t.match(said, /a\\x1b\[2J/);
});
