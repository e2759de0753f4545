// windfarm buffer and windfarm rejects, beside a running agent's buffer and without one.
import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import t from "tap";
import yargs from "yargs";
import { bufferCommand } from "../../agent/cli/buffer.ts";
import { rejectsCommand } from "../../agent/cli/rejects.ts";
import { EXIT } from "../../agent/errors.ts";
import { drain, head, NOW, openIn, ownFolder, store } from "./setup.ts";

const TOPIC = "windfarm/T07/power-factor";

function configIn(folder: string, extra = ""): string {
  const file = join(folder, "agent.config.yaml");
  writeFileSync(
    file,
    `version: 1
gateway: { id: gw-01, site: demo }
mqtt: { listen: "mqtt://127.0.0.1:1883" }
buffer: { path: "${join(folder, "buffer.db")}", max_size: 64MiB }
kinesis: { stream: windfarm-readings, region: us-east-1 }
${extra}`,
  );
  return file;
}

const printing = new AsyncLocalStorage<string[]>();

for (const stream of [process.stdout, process.stderr]) {
  const write = stream.write.bind(stream);
  // What a command prints is caught, what tap prints meanwhile is not.
  const caught = t.intercept(stream, "write", {
    value: (text: string) => {
      const printed = printing.getStore();
      if (printed === undefined) return write(text);
      if (stream === process.stdout) printed.push(text);
      return true;
    },
  });
  t.teardown(() => caught.restore());
}

/** Runs a command as `windfarm` would; what it printed. Throws what it throws. */
async function run(...argv: string[]): Promise<string> {
  const printed: string[] = [];
  await printing.run(printed, () =>
    yargs(argv)
      .command(bufferCommand)
      .command(rejectsCommand)
      .exitProcess(false)
      .fail((_message, error) => {
        throw error;
      })
      .parseAsync(),
  );
  return printed.join("");
}

function reject(buffer: ReturnType<typeof openIn>["buffer"], payload: string): void {
  const rejection = { reason: "unknown_type" as const, detail: "unknown type", topic: TOPIC, dup: false };
  buffer.reject({ ...rejection, payload: Buffer.from(payload) }, NOW, () => {});
  buffer.flush();
}

t.test("stats, verify and export look into a buffer while its agent runs", async (t) => {
  const folder = ownFolder(t);
  const config = configIn(folder);
  const { buffer } = openIn(t, {}, { folder });
  store(buffer, 0, 1200);
  reject(buffer, "{}");

  const stats = JSON.parse(await run("buffer", "stats", "--config", config, "--json"));
  t.match(stats, { running: true, epoch: buffer.epoch, lastSeq: 1200, rejects: { unknown_type: 1 } });
  t.same(stats.accounts, buffer.accounts());
  t.match(await run("buffer", "stats", "--config", config), /^1200 readings wait, the oldest for .+ running/);

  const verified = JSON.parse(await run("buffer", "verify", "--config", config, "--json"));
  t.match(verified, { ok: true, readings: 1200, problems: [] });

  const out = join(folder, "out.ndjson");
  await run("buffer", "export", "--config", config, "--out", out);
  const exported = readFileSync(out, "utf8").trim().split("\n");
  t.equal(exported.length, 1200);
  t.same(
    exported.map((line) => JSON.parse(line)),
    drain(buffer),
    "the very readings that are shipped",
  );
});

t.test("what an export holds can be put back, and keeps its identity", async (t) => {
  const folder = ownFolder(t);
  const config = configIn(folder);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 1500);
  const out = join(folder, "out.ndjson");
  await run("buffer", "export", "--config", config, "--out", out);
  const before = drain(first.buffer);
  await t.rejects(run("buffer", "requeue", out, "--config", config), { code: "buffer.locked" });
  await first.buffer.close();

  writeFileSync(out, "not a reading\n", { flag: "a" });
  const said = JSON.parse(await run("buffer", "requeue", out, "--config", config, "--json"));
  t.same(said, { readings: 1500, rejects: 0, unreadable: 1 });
  t.equal(process.exitCode, EXIT.failed, "a line that could not be read is a failure");
  process.exitCode = EXIT.ok;

  const { buffer } = openIn(t, {}, { folder });
  t.match(buffer.accounts(), { received: 3000, buffered: 1500, shipped: 1500 });
  t.same(drain(buffer), before);
});

t.test("an id with a replacement character survives verify, export and requeue", async (t) => {
  const folder = ownFolder(t);
  const config = configIn(folder);
  const first = openIn(t, {}, { folder });
  first.buffer.append(head("PP_\ufffd"), "T07", NOW, 0, () => undefined);
  first.buffer.flush();
  t.match(await run("buffer", "verify", "--config", config), /all is well/);
  const out = join(folder, "out.ndjson");
  await run("buffer", "export", "--config", config, "--out", out);
  drain(first.buffer);
  await first.buffer.close();
  const said = JSON.parse(await run("buffer", "requeue", out, "--config", config, "--json"));
  t.same(said, { readings: 1, rejects: 0, unreadable: 0 });
  const { buffer } = openIn(t, {}, { folder });
  t.equal(drain(buffer)[0]?.id, "PP_\ufffd");
});

t.test("a buffer file from elsewhere can be put in", async (t) => {
  const folder = t.testdir({ other: {}, here: {} });
  const other = openIn(t, {}, { folder: join(folder, "other") });
  store(other.buffer, 0, 70);
  reject(other.buffer, "{}");
  await other.buffer.close();
  const first = openIn(t, {}, { folder: join(folder, "here") });
  await first.buffer.close();
  const config = configIn(join(folder, "here"));
  const said = await run("buffer", "requeue", other.settings.path, "--config", config, "--json");
  t.same(JSON.parse(said), { readings: 70, rejects: 1, unreadable: 0 });
  await t.rejects(run("buffer", "requeue", first.settings.path, "--config", config), {
    code: "buffer.same_file",
  });
});

t.test("verify says what is wrong, and fails", async (t) => {
  const folder = ownFolder(t);
  const config = configIn(folder);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 5);
  await first.buffer.close();
  const db = new Database(first.settings.path);
  const body = db.prepare<[], Buffer>("SELECT body FROM groups").pluck().get() ?? Buffer.alloc(0);
  body.writeUInt8(body.readUInt8(40) ^ 1, 40);
  db.prepare("UPDATE groups SET body = ?").run(body);
  db.close();
  t.match(
    await run("buffer", "verify", "--config", config),
    /group 1: its bytes are not those that were stored/,
  );
  t.equal(process.exitCode, EXIT.failed);
  process.exitCode = EXIT.ok;
});

t.test("rejects are listed with their reasons, and replayed once they are understood", async (t) => {
  const folder = ownFolder(t);
  const first = openIn(t, {}, { folder });
  store(first.buffer, 0, 3);
  reject(first.buffer, '{"id":"PP_9","data":0.5,"type":"PF","date":"2026-11-22"}');
  reject(first.buffer, "{}");
  const [group] = first.buffer.lease(1e6);
  first.buffer.settle(group?.groupKey ?? 0, { outcome: "refused", detail: "no such stream" });
  first.buffer.flush();
  const config = configIn(folder);
  const listed = JSON.parse(await run("rejects", "--config", config, "--json"));
  t.match(listed, { rejected: 5, kept: 3, byReason: { unknown_type: 2, refused: 1 } });
  t.match(await run("rejects", "--config", config), /unknown_type {2}windfarm\/T07\/power-factor/);
  await t.rejects(run("rejects", "--replay", "--config", config), {
    code: "buffer.locked",
    hint: /systemctl stop/,
  });
  await first.buffer.close();

  const taught = configIn(folder, 'readings: { types: { "Power Factor": { aliases: ["PF"] } } }\n');
  const replayed = JSON.parse(await run("rejects", "--replay", "--config", taught, "--json"));
  t.same(replayed, { readings: 4, remaining: { unknown_type: 1 } });
  const { buffer } = openIn(t, {}, { folder });
  t.same(buffer.accounts(), { received: 5, buffered: 4, shipped: 0, rejected: 1, dropped: 0 });
  t.same(
    drain(buffer).map(({ id, seq }) => `${id} ${seq}`),
    ["PP_0 1", "PP_1 2", "PP_2 3", "PP_9 4"],
  );
  t.match(await run("buffer", "verify", "--config", taught), /all is well/);
});

t.test("where there is no buffer, that is what is said", async (t) => {
  const folder = ownFolder(t);
  const config = configIn(folder);
  await t.rejects(run("buffer", "stats", "--config", config), {
    code: "buffer.missing",
    hint: /buffer\.path/,
  });
  await t.rejects(run("rejects", "--replay", "--config", config), { code: "buffer.missing" });
});
