/**
 * Everything that moves and serves the data, and holds none of it but Firehose's place in the stream:
 *
 *   stream ─▶ Delivery ─▶ raw ─▶ Curation ─▶ lake ─▶ Queries
 *                          └─▶ Crawl ─▶ Catalog ◀─┘
 *   GatewayIdentity: who may put on the stream        EventCounts, Alarms, dashboard: how it goes
 *
 * It can be deleted and deployed again, gateways held meanwhile: a new Firehose begins at the end of the stream, so what
 * the old one had not fetched, and what is put before the new one reads, never reaches the raw bucket (docs/cloud.md
 * says how). The curated tables stay where they are, in the data stack's bucket and database.
 */

import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { GATEWAY_OUTPUTS, type StageSettings } from "../settings.ts";
import type { Sources } from "../sources.ts";
import { Alarms } from "./alarms.ts";
import { Catalog } from "./catalog.ts";
import { Crawl } from "./crawl.ts";
import { Curation, RETRIES } from "./curation.ts";
import { dashboard } from "./dashboard.ts";
import type { DataStack } from "./data-stack.ts";
import { Delivery } from "./delivery.ts";
import { EventCounts } from "./event-counts.ts";
import { GatewayIdentity } from "./gateway-identity.ts";
import { DeliveryMetrics, StreamMetrics } from "./metrics.ts";
import { Queries } from "./queries.ts";
import { securityConfiguration } from "./security-configuration.ts";
import { SharedData } from "./shared-data.ts";

export interface PipelineStackProps extends StackProps {
  settings: StageSettings;
  sources: Sources;
  data: DataStack;
}

export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, props: PipelineStackProps) {
    super(scope, id, props);
    const { settings, sources } = props;
    const { names } = settings;
    const { stream, raw, lake, key } = new SharedData(this, "Data", props.data);
    this.addStackDependency(props.data);

    const delivery = new Delivery(this, "Delivery", { settings, stream, raw, key });
    const catalog = new Catalog(this, "Catalog", { database: names.database, raw });
    new Crawl(this, "Crawl", {
      settings,
      catalog,
      raw,
      key,
      security: securityConfiguration(this, "Security", { name: `${names.farm}-crawler`, key, logs: true }),
    });
    const queries = new Queries(this, "Queries", { settings, sources, catalog, raw, lake, key });
    const identity = new GatewayIdentity(this, "Gateway", { names, stream, key });
    // Gateways get in once Firehose reads, and are shut out before it goes: it never sees what was put while it was not there.
    identity.node.addDependency(delivery);

    const watched = {
      settings,
      stream: new StreamMetrics(names.stream),
      delivery: new DeliveryMetrics(delivery.name),
      workGroup: names.workGroup,
    };
    const { alarms, topic } = new Alarms(this, "Alarms", watched);
    const curation = new Curation(this, "Curation", {
      settings,
      sources,
      catalog,
      raw,
      lake,
      key,
      topic,
      security: securityConfiguration(this, "JobSecurity", { name: `${names.farm}-job`, key, logs: false }),
    });
    new EventCounts(this, "Events", { settings, raw, jobName: curation.job.ref, retries: RETRIES });
    dashboard(this, "Dashboard", { ...watched, alarms });

    this.#outputs({
      [GATEWAY_OUTPUTS.stream]: [names.stream, "kinesis.stream of a gateway's configuration"],
      [GATEWAY_OUTPUTS.region]: [this.region, "kinesis.region of a gateway's configuration"],
      [GATEWAY_OUTPUTS.roleAlias]: [identity.roleAlias, "kinesis.credentials.iot.role_alias"],
      [GATEWAY_OUTPUTS.policy]: [identity.policy, "Policy of a gateway's certificate"],
      WorkGroup: [queries.workGroup.ref, "Where analysts ask"],
      AnalystPolicy: [queries.analystPolicy.managedPolicyArn, "Lets someone ask"],
      AnalystLinesPolicy: [
        queries.linesPolicy.managedPolicyArn,
        "Opens lines as they arrived besides, and those that are no readings",
      ],
      CurationJob: [curation.job.ref, "Start it by hand, with --from and --to for days of arrival"],
      AlarmTopic: [topic.topicArn, "Subscribe whoever must know"],
    });
  }

  #outputs(outputs: Record<string, readonly [value: string, description: string]>): void {
    for (const [name, [value, description]] of Object.entries(outputs)) {
      new CfnOutput(this, name, { value, description });
    }
  }
}
