import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pino } from "pino";
import t from "tap";
import { OwnerLock } from "../agent/buffer/lock.ts";
import { loadConfig } from "../agent/config/load.ts";
import { buildParts } from "../agent/parts.ts";

t.test("where a part can't be built the buffer is let go of", (t) => {
  const folder = t.testdir({});
  const file = join(folder, "agent.config.yaml");
  const yaml = [
    "version: 1",
    "gateway: { id: gw-t }",
    'mqtt: { listen: "mqtt://127.0.0.1:0" }',
    `buffer: { path: ${folder}/buffer.db, ballast: 0B }`,
    "kinesis: { region: us-east-1 }",
    "",
  ].join("\n");
  writeFileSync(file, yaml);
  const config = loadConfig(file);
  const log = pino({ level: "silent" });
  const build = (mqtt: typeof config.mqtt) => buildParts({ ...config, mqtt }, log, Date.now, () => undefined);
  const { listen: _none, ...nothing } = config.mqtt;
  t.throws(() => build(nothing), { code: "config.no_source" });
  t.equal(OwnerLock.isHeld(config.buffer.path), false);
  const { buffer } = build(config.mqtt);
  t.equal(OwnerLock.isHeld(config.buffer.path), true);
  return buffer.close();
});
