import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { loadConfig } from "../../agent/config/load.ts";
import { ConfigFault } from "../../agent/config/problems.ts";

t.test("the buffer is a file in a folder", async (t) => {
  const folder = t.testdir({ "a-file": "x" });
  mkdirSync(join(folder, "a-folder"));
  const file = join(folder, "agent.config.yaml");
  const problem = (path: string): string | undefined => {
    const rest =
      "version: 1\ngateway: { id: gw-01 }\nmqtt: { listen: mqtt://127.0.0.1 }\nkinesis: { region: us-east-1 }";
    writeFileSync(file, `${rest}\nbuffer:\n  path: "${path}"\n`);
    try {
      loadConfig(file, { files: false });
      return undefined;
    } catch (error) {
      if (error instanceof ConfigFault) return error.message;
      throw error;
    }
  };
  const place = `${file}:6:9: buffer.path:`;
  t.equal(problem(`${folder}/a-file`), undefined, "a buffer that is there");
  t.equal(problem(`${folder}/new/folders/buffer.db`), undefined);
  t.match(problem(`${folder}/a-folder`), `${place} ${folder}/a-folder is a folder — name a file`);
  t.match(problem(`${folder}/new/`), `${place} ${folder}/new/ is a folder — name a file`);
  t.match(problem("/dev/null"), `${place} /dev/null is no file but a device`);
  t.match(problem(`${folder}/a-file/buffer.db`), `${place} ${folder}/a-file is not a folder — `);
  t.match(problem(`${folder}/a-file/below/buffer.db`), `${place} ${folder}/a-file is not a folder — `);
});
