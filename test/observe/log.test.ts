import { closeSync, fstatSync, openSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { Fault } from "../../agent/errors.ts";
import { createLogger, isJournal, type LogSettings } from "../../agent/observe/log.ts";

/** A log that writes into an array. */
function logTo(settings: Partial<LogSettings> = {}) {
  const lines: string[] = [];
  const log = createLogger({ level: "info", output: { write: (line) => lines.push(line) }, ...settings });
  return { log, lines };
}

t.test("A line is one JSON object with its level by name and its syslog priority", async (t) => {
  const { log, lines } = logTo({ level: "debug" });
  log.error("e");
  log.warn("w");
  log.info({ url: "mqtt://127.0.0.1:1883" }, "i");
  log.child({ part: "ship" }).debug("d");
  t.match(
    lines.map((line) => JSON.parse(line)),
    [
      { level: "error", priority: 3, msg: "e", time: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/ },
      { level: "warn", priority: 4, msg: "w" },
      { level: "info", priority: 6, msg: "i", url: "mqtt://127.0.0.1:1883" },
      { level: "debug", priority: 7, msg: "d", part: "ship" },
    ],
  );
  t.ok(lines.every((line) => line.endsWith("}\n") && line.indexOf("\n") === line.length - 1));
});

t.test("What is below the level is not written", async (t) => {
  const { log, lines } = logTo({ level: "warn" });
  log.info("i");
  log.debug("d");
  t.same(lines, []);
});

t.test("No secret is written", async (t) => {
  const { log, lines } = logTo();
  log.info({ password: "s3cret", mqtt: { password: "s3cret", url: "u" } }, "a");
  log.info({ kinesis: { credentials: { secretAccessKey: "s3cret", sessionToken: "s3cret" } } }, "b");
  t.notMatch(lines.join(""), /s3cret/);
  t.match(lines.join(""), /"url":"u"/);
});

t.test(
  "A fault is written with its code and hint and without a stack, a surprise with its stack",
  async (t) => {
    const { log, lines } = logTo();
    const cause = new Error("EIO: i/o error");
    log.error(
      { err: new Fault("buffer.disk", "the disk refuses", { hint: "Replace it.", retry: true, cause }) },
      "f",
    );
    log.error({ err: new TypeError("oh") }, "s");
    const [fault, surprise] = lines.map((line) => JSON.parse(line));
    t.same(fault.err, {
      code: "buffer.disk",
      message: "the disk refuses",
      hint: "Replace it.",
      retry: true,
      cause: "EIO: i/o error",
    });
    t.match(surprise.err, { type: "TypeError", message: "oh", stack: /log\.test/ });
  },
);

t.test("For the journal a line begins with its priority", async (t) => {
  const { log, lines } = logTo({ journal: true });
  log.warn({ note: '{"level":"error","priority":3' }, "careful");
  log.info("fine");
  t.match(lines[0], /^<4>\{"level":"warn"/);
  t.match(lines[1], /^<6>\{"level":"info"/);
});

t.test("On a terminal a line is for people", async (t) => {
  const { log, lines } = logTo({ pretty: true });
  log.info({ url: "mqtt://127.0.0.1:1883" }, "listening");
  t.match(lines.join(""), /^\[\d\d:\d\d:\d\d\] INFO: listening\n\s+url: "mqtt:\/\/127\.0\.0\.1:1883"\n$/);
});

t.test("The journal is recognised by the device and inode systemd names, and by nothing else", async (t) => {
  const fd = openSync(join(t.testdir(), "journal"), "w");
  const { dev, ino } = fstatSync(fd, { bigint: true });
  t.ok(isJournal(`${dev}:${ino}`, fd));
  t.notOk(isJournal(`${dev}:${ino + 1n}`, fd), "stdout was redirected");
  t.notOk(isJournal(undefined, fd), "not under systemd");
  closeSync(fd);
  t.notOk(isJournal(`${dev}:${ino}`, fd), "there is no stdout");
});
