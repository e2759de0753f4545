/** The program as it is installed, one file, with its page inside. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import t from "tap";
import { Program } from "../../helpers/program.ts";
import { skip, startBrowser, textOf, until } from "./browser.ts";

/** Where the agent says it listens, in its first line. */
const GREETING = /"listen":"(mqtt:[^"]+)".*"status":"(http:[^"]+)"/;

t.test("Readings sent to the agent are seen on its page, safe while Kinesis is away", { skip }, async (t) => {
  const folder = t.testdir();
  const config = join(folder, "agent.config.yaml");
  writeFileSync(
    config,
    `version: 1
gateway: { id: gw-web, site: test }
mqtt: { listen: "mqtt://127.0.0.1:0" }
buffer: { path: "${folder}/buffer.db" }
kinesis: { stream: windfarm-readings, region: us-east-1, endpoint: "http://127.0.0.1:9" }
status: { listen: "http://127.0.0.1:0" }
`,
  );
  const program = new Program("windfarm", ["run", "--config", config]);
  t.teardown(() => program.kill());
  await program.says(GREETING);
  const [, broker = "", pageUrl = ""] = GREETING.exec(program.stdout) ?? [];

  const visit = await startBrowser(t);
  const { page, complaints } = await visit(pageUrl);
  t.match(await textOf(page, "h1"), /^Idle: no reading has arrived since the agent started/);

  const sensor = await connectAsync(broker);
  t.teardown(() => sensor.endAsync(true));
  const date = new Date().toISOString();
  const sent = ["Power Factor", "Temperature Battery", "Hydraulic Pressure", "Wind"].map((type, index) =>
    sensor.publishAsync("windfarm/T07/x", JSON.stringify({ id: `X_${index}`, data: index, type, date }), {
      qos: 1,
    }),
  );
  await Promise.all(sent);
  await until(page, "document.getElementById('received').textContent === '4'");
  t.equal(await textOf(page, "#buffered"), "3");
  t.equal(await textOf(page, "#rejected"), "1");
  t.match(await textOf(page, ".reasons"), /^1 unknown type$/);

  await page.locator('.headline[data-state="buffering"]').waitFor();
  t.match(
    await textOf(page, "h1"),
    /^Buffering: Kinesis has taken nothing for .*; 3 readings are safe on disk\.$/,
  );
  t.match(await textOf(page, ".trouble"), /ship\.refused/);
  t.same(complaints, []);
});
