/** The arm64 package's own program, Node.js and addon, on an emulated processor: it starts, takes readings and ships them. */

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import t from "tap";
import { startKinesisStub } from "../../helpers/kinesis-stub.ts";
import { packageFile } from "../package/packages.ts";

const EMULATOR = ["qemu-aarch64-static", "qemu-aarch64"].find(
  (name) => spawnSync(name, ["--version"]).status === 0,
);
/** glibc and libstdc++ of arm64, as Debian's cross compilers bring them. */
const LIBRARIES = "/usr/aarch64-linux-gnu";

function whyNot(): string | false {
  if (EMULATOR === undefined) return "no qemu (apt install qemu-user-static)";
  if (!existsSync(join(LIBRARIES, "lib/libstdc++.so.6")))
    return "no arm64 libraries (apt install g++-aarch64-linux-gnu)";
  return false;
}

t.test("the arm64 package takes readings and ships them", { skip: whyNot(), timeout: 600_000 }, async (t) => {
  const deb = packageFile("arm64");
  const root = mkdtempSync(join(tmpdir(), "windfarm-arm64-"));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  execFileSync("dpkg-deb", ["-x", deb, root]);
  const stub = await startKinesisStub();
  t.teardown(() => stub.outage());
  const config = [
    "version: 1",
    "gateway: { id: gw-arm }",
    'mqtt: { listen: "mqtt://127.0.0.1:0" }',
    "buffer: { path: state/buffer.db, ballast: 1MiB }",
    `kinesis: { region: us-east-1, endpoint: "${stub.endpoint}", flush_every: 100ms }`,
    'status: { listen: "http://127.0.0.1:0" }',
  ];
  writeFileSync(join(root, "agent.config.yaml"), `${config.join("\n")}\n`);
  const launcher = readFileSync(join(root, "usr/bin/windfarm"), "utf8");
  const flags = /^exec \S+ (.*) \/usr\/lib\/windfarm\/windfarm\.js/m.exec(launcher)?.[1]?.split(" ") ?? [];
  const program = [join(root, "usr/lib/windfarm/node"), ...flags, join(root, "usr/lib/windfarm/windfarm.js")];
  const env = { ...process.env, NODE_OPTIONS: "" };
  const agent = spawn(EMULATOR ?? "", ["-L", LIBRARIES, ...program, "run"], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => agent.kill("SIGKILL"));
  const said = await new Promise<string>((resolve) => {
    let text = "";
    agent.stdout.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      if (text.includes("collects for gw-arm")) resolve(text);
    });
  });
  const port = /"listen":"mqtt:\/\/127\.0\.0\.1:(\d+)"/.exec(said)?.[1];
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { connectTimeout: 60_000 });
  const readings = Array.from({ length: 100 }, (_, index) =>
    JSON.stringify({ id: `PP_${index}`, data: 0.97, type: "Power Factor", date: "2026-11-22T12:00:00Z" }),
  );
  await Promise.all(
    readings.map((text) => client.publishAsync("windfarm/T01/power-factor", text, { qos: 1 })),
  );
  await client.endAsync();
  await stub.until(() => stub.counts.readings >= 100);
  agent.kill("SIGTERM");
  const [code] = await once(agent, "exit");
  t.equal(code, 0, "it stops in order");
});
