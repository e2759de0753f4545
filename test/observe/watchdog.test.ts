import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pino } from "pino";
import t, { type Test } from "tap";
import { createNotify, watchdogTimeoutMs } from "../../agent/observe/systemd.ts";
import { Watchdog } from "../../agent/observe/watchdog.ts";

const silent = pino({ level: "silent" });

/** A socket's path: at most 107 bytes long (unix(7)), which a folder below the checkout may exceed. */
function socketPath(t: Test, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), "windfarm-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return join(folder, name);
}

/** A watchdog whose messages are kept, and whose progress can be turned off. */
function watched(timeoutMs: number | undefined) {
  const sent: string[][] = [];
  const lines: Record<string, unknown>[] = [];
  const state = { progressing: true, sentence: "Delivering, 0 s behind." };
  const watchdog = new Watchdog({
    notify: async (...assignments) => void sent.push([...assignments]),
    timeoutMs,
    progressing: () => state.progressing,
    sentence: () => state.sentence,
    log: pino({}, { write: (line) => lines.push(JSON.parse(line)) }),
  });
  return { watchdog, sent, lines, state };
}

t.test("Ready and stopping are told, each with the sentence", async (t) => {
  const { watchdog, sent, state } = watched(undefined);
  await watchdog.start();
  state.sentence = "Stopping:\n 3 readings are safe on disk.";
  await watchdog.stop();
  t.same(sent, [
    ["READY=1", "STATUS=Delivering, 0 s behind."],
    ["STOPPING=1", "STATUS=Stopping: 3 readings are safe on disk."],
  ]);
});

t.test("Progress feeds the watchdog, its absence lets it starve, and both are said once", async (t) => {
  const { watchdog, sent, lines, state } = watched(60_000);
  await watchdog.look();
  state.progressing = false;
  await watchdog.look();
  await watchdog.look();
  state.progressing = true;
  await watchdog.look();
  t.same(sent, [["WATCHDOG=1", "STATUS=Delivering, 0 s behind."], ["WATCHDOG=1"]]);
  t.match(lines, [
    { level: 40, msg: /no progress/ },
    { level: 30, msg: /progress is made again/ },
  ]);
  t.equal(lines.length, 2);
});

t.test("The sentence is passed on when it is a new one, also while starving", async (t) => {
  const { watchdog, sent, state } = watched(60_000);
  await watchdog.look();
  state.progressing = false;
  state.sentence = "Failed.";
  await watchdog.look();
  t.same(sent.at(-1), ["STATUS=Failed."]);
});

t.test("Where nobody watches, only news is sent", async (t) => {
  const { watchdog, sent } = watched(undefined);
  await watchdog.look();
  await watchdog.look();
  t.same(sent, [["STATUS=Delivering, 0 s behind."]]);
});

t.test("It looks by itself several times within the time allowed", async (t) => {
  const { watchdog, sent } = watched(30);
  await watchdog.start();
  while (sent.length < 4) await new Promise((resolve) => setImmediate(resolve));
  await watchdog.stop();
  t.same(sent.slice(1, 4), [["WATCHDOG=1"], ["WATCHDOG=1"], ["WATCHDOG=1"]]);
});

t.test("The time allowed is systemd's, where this process is the one watched", async (t) => {
  t.equal(watchdogTimeoutMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "12" }, 12), 30_000);
  t.equal(watchdogTimeoutMs({ WATCHDOG_USEC: "30000000" }, 12), 30_000);
  t.equal(watchdogTimeoutMs({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "13" }, 12), undefined);
  t.equal(watchdogTimeoutMs({}, 12), undefined);
  t.equal(watchdogTimeoutMs({ WATCHDOG_USEC: "0" }, 12), undefined);
  t.equal(watchdogTimeoutMs({ WATCHDOG_USEC: "soon" }, 12), undefined);
});

t.test("Outside of systemd nothing is sent and nothing is said", async (t) => {
  const lines: string[] = [];
  await createNotify({}, pino({}, { write: (line) => lines.push(line) }))("READY=1");
  t.same(lines, []);
});

t.test("A systemd that can't be told is complained about once", async (t) => {
  const lines: string[] = [];
  const socket = socketPath(t, "nobody.sock");
  const notify = createNotify({ NOTIFY_SOCKET: socket }, pino({}, { write: (line) => lines.push(line) }));
  await notify("READY=1");
  await notify("WATCHDOG=1");
  t.equal(lines.length, 1);
  t.match(lines[0], /systemd could not be told/);
});

t.test("A program that can't even be begun is complained about as well", async (t) => {
  const lines: string[] = [];
  const socket = socketPath(t, "nobody.sock");
  const notify = createNotify({ NOTIFY_SOCKET: socket }, pino({}, { write: (line) => lines.push(line) }));
  // More than the kernel passes to a program (execve(2), E2BIG): Node.js throws at once, as for want of memory.
  await notify(`STATUS=${"x".repeat(256 * 1024)}`);
  t.match(lines, [/systemd could not be told/]);
});

/** Receives what systemd would, a JSON line per message; closes the barrier's descriptor as systemd does. */
const RECEIVER = `
import array, json, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print(json.dumps("listening"), flush=True)
while True:
    data, ancillary, _, _ = s.recvmsg(65536, socket.CMSG_SPACE(64))
    for _, kind, content in ancillary:
        if kind == socket.SCM_RIGHTS:
            for fd in array.array("i", content[: len(content) // 4 * 4]): os.close(fd)
    if data != b"BARRIER=1": print(json.dumps(data.decode()), flush=True)
`;

function has(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const missing = ["systemd-notify", "python3"].filter((program) => !has(program));
const skip = missing.length > 0 ? `needs ${missing.join(" and ")}` : false;

t.test("What is sent arrives on systemd's socket", { skip }, async (t) => {
  const socket = socketPath(t, "notify.sock");
  const receiver = spawn("python3", ["-c", RECEIVER, socket], { stdio: ["ignore", "pipe", "inherit"] });
  t.teardown(() => receiver.kill());
  const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
  t.equal(JSON.parse((await lines.next()).value), "listening");
  const notify = createNotify({ NOTIFY_SOCKET: socket }, silent);
  await notify("READY=1", "STATUS=Delivering, 0 s behind.");
  await notify("WATCHDOG=1");
  t.equal(JSON.parse((await lines.next()).value), "READY=1\nSTATUS=Delivering, 0 s behind.");
  t.equal(JSON.parse((await lines.next()).value), "WATCHDOG=1");
  receiver.kill();
  await once(receiver, "exit");
});
