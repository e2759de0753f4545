/**
 * Everything that moves and serves the data, and holds none of it but Firehose's place in the stream:
 *
 *   stream ─▶ Delivery ─▶ raw ─▶ Curation ─▶ lake ─▶ Queries
 *                          └─▶ Crawl ─▶ Catalog ◀─┘
 *   GatewayIdentity: who may put on the stream        RunCounts, Alarms, dashboard: how it goes
 *
 * It can be deleted and deployed again, gateways held meanwhile: a new Firehose begins at the end of the stream, so what
 * the old one had not fetched, and what is put before the new one reads, never reaches the raw bucket (docs/cloud.md
 * says how). Then the job, run over the whole range, points the table's days at new folders.
 */

import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import type { Layout } from "../layout.ts";
import { GATEWAY_OUTPUTS, type StageSettings } from "../settings.ts";
import type { Sources } from "../sources.ts";
import { Alarms } from "./alarms.ts";
import { Catalog } from "./catalog.ts";
import { Crawl } from "./crawl.ts";
import { Curation } from "./curation.ts";
import { dashboard } from "./dashboard.ts";
import type { DataStack } from "./data-stack.ts";
import { Delivery } from "./delivery.ts";
import { GatewayIdentity } from "./gateway-identity.ts";
import { DeliveryMetrics, StreamMetrics } from "./metrics.ts";
import { Queries } from "./queries.ts";
import { RunCounts } from "./run-counts.ts";
import { securityConfiguration } from "./security-configuration.ts";
import { SharedData } from "./shared-data.ts";

export interface PipelineStackProps extends StackProps {
  settings: StageSettings;
  layout: Layout;
  sources: Sources;
  data: DataStack;
}

export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);
    const { settings, layout, sources } = props;
    const { stream, raw, lake, key } = new SharedData(this, "Data", props.data);
    this.addStackDependency(props.data);
    const { stage } = settings;

    const delivery = new Delivery(this, "Delivery", { settings, layout, stream, raw, key });
    const catalog = new Catalog(this, "Catalog", { layout, raw, lake });
    const security = securityConfiguration(this, "Security", stage, key);
    new Crawl(this, "Crawl", { settings, layout, catalog, raw, key, security });
    const curation = new Curation(this, "Curation", {
      settings,
      layout,
      sources,
      catalog,
      raw,
      lake,
      key,
      security,
    });
    const queries = new Queries(this, "Queries", { settings, layout, sources, catalog, lake, key });
    const identity = new GatewayIdentity(this, "Gateway", { stage, stream, key });
    // Gateways get in once Firehose reads, and are shut out before it goes: it never sees what was put while it was not there.
    identity.node.addDependency(delivery);

    new RunCounts(this, "Runs", { settings, jobName: curation.job.ref });
    const watched = {
      settings,
      stream: new StreamMetrics(layout.stream),
      delivery: new DeliveryMetrics(delivery.name),
      workGroup: queries.workGroup.name,
    };
    const { alarms, topic } = new Alarms(this, "Alarms", watched);
    dashboard(this, "Dashboard", { ...watched, alarms });

    this.#outputs({
      [GATEWAY_OUTPUTS.stream]: [layout.stream, "kinesis.stream of a gateway's configuration"],
      [GATEWAY_OUTPUTS.region]: [this.region, "kinesis.region of a gateway's configuration"],
      [GATEWAY_OUTPUTS.roleAlias]: [identity.roleAlias, "kinesis.credentials.iot.role_alias"],
      [GATEWAY_OUTPUTS.policy]: [identity.policy, "Policy of a gateway's certificate"],
      WorkGroup: [queries.workGroup.ref, "Where analysts ask"],
      AnalystPolicy: [queries.analystPolicy.managedPolicyArn, "Lets someone ask"],
      CurationJob: [curation.job.ref, "Start it by hand with --from and --to"],
      AlarmTopic: [topic.topicArn, "Subscribe whoever must know"],
    });
  }

  #outputs(outputs: Record<string, readonly [value: string, description: string]>): void {
    for (const [name, [value, description]] of Object.entries(outputs)) {
      new CfnOutput(this, name, { value, description });
    }
  }
}
