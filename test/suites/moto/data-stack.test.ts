/** The data-holding stack created from its template, and the built agent shipping into the stream it made. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DescribeStacksCommand } from "@aws-sdk/client-cloudformation";
import { DescribeStreamCommand } from "@aws-sdk/client-kinesis";
import t from "tap";
import { parseDocument } from "yaml";
import { build, writeSources } from "../../cloud/cdk/build.ts";
import { Farm } from "../../e2e/farm.ts";
import { Moto, motoMissing } from "./moto.ts";
import { readStream } from "./stream.ts";

const READINGS = 300;
const skip = motoMissing();

t.test(
  "the agent ships into the stream of the deployed data stack, and every reading is there",
  { skip },
  async (t) => {
    const moto = await Moto.start();
    t.teardown(() => moto.stop());
    const folder = t.testdir();
    const template = build("dev", writeSources(folder)).dataTemplate.toJSON();
    // moto 5.2 takes a key's tags from CloudFormation under other names than CloudFormation has them.
    delete template.Resources.Key.Properties.Tags;
    await moto.deploy("windfarm-dev-data", template);

    const client = moto.cloudFormation();
    const kinesis = moto.kinesis();
    t.teardown(() => {
      client.destroy();
      kinesis.destroy();
    });
    const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: "windfarm-dev-data" }));
    const exported = (Stacks?.[0]?.Outputs ?? [])
      .map(({ ExportName }) => ExportName)
      .filter((name) => name !== undefined);
    t.same(
      exported.sort(),
      ["KeyArn", "LakeBucket", "RawBucket", "StreamArn"].map((name) => `windfarm-dev-data-${name}`),
    );
    const { StreamDescription: stream } = await kinesis.send(
      new DescribeStreamCommand({ StreamName: "windfarm-readings" }),
    );
    t.match(stream, { StreamStatus: "ACTIVE", Shards: { length: 1 } });

    const farm = await Farm.lay(t.testdir({ farm: {} }));
    t.teardown(() => farm.stop());
    const file = join(farm.folder, "agent.config.yaml");
    const config = parseDocument(readFileSync(file, "utf8"));
    config.setIn(["kinesis", "endpoint"], moto.url);
    writeFileSync(file, config.toString());
    await farm.startAgent();

    const sensors = farm.sensors(["--turbines=5", "--rate=20", `--count=${READINGS / 15}`, "--seed=7"]);
    const { code, stdout } = await sensors.ended;
    t.equal(code, 0, "every reading was acknowledged");
    t.match(JSON.parse(stdout), { acknowledged: READINGS });
    await farm.until(
      "all is shipped",
      async () => (await farm.observer.agent())?.shipped === READINGS,
      farm.agent,
    );

    const readings = await readStream(kinesis, "windfarm-readings");
    t.equal(readings.length, READINGS);
    t.same(
      readings.map(({ seq }) => seq).sort((a, b) => a - b),
      Array.from({ length: READINGS }, (_, index) => index + 1),
    );
    t.equal(new Set(readings.map(({ turbine }) => turbine)).size, 5);
  },
);
