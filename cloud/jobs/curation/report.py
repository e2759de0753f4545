"""What a run says: a line of JSON, its metrics, and which gateways fell silent or came back."""

SILENT = "windfarm.silent"
"""The property of the table gateways that names those that were silent at the last run."""
_UNITS = {"SecondsBehind": "Seconds"}
_SILENT_GATEWAYS = """
SELECT gateway FROM (
  SELECT gateway, max(arrived) AS heard, max(max(arrived)) OVER () AS newest
  FROM {gateways} WHERE arrived >= localtimestamp() - INTERVAL '31' DAY GROUP BY gateway
) WHERE heard < newest - INTERVAL '1' HOUR ORDER BY gateway
"""


def missing(engine, tables):
    """Readings that no object holds and no gateway has any more (cloud/sql/queries/delivery-gaps.sql)."""
    # What else the query counts needs the whole table and isn't asked for here.
    tables.sql("SELECT * FROM {readings} WHERE false").createOrReplaceTempView("readings")
    for table in ("deliveries", "gateways"):
        tables.sql(f"SELECT * FROM {{{table}}}").createOrReplaceTempView(table)
    engine.ask("queries/delivery-gaps").select("gateway", "epoch", "missing").distinct().createOrReplaceTempView("gaps")
    return engine.spark.sql("SELECT coalesce(sum(missing), 0) FROM gaps").collect()[0][0]


def tell_of_silence(tables, topic):
    """How many gateways are silent; tells the topic, if there is one, when they are others than at the last run."""
    silent = [row.gateway for row in tables.sql(_SILENT_GATEWAYS).collect()]
    before = set(filter(None, tables.note("gateways", SILENT).split("\n")))
    gone, back = sorted(set(silent) - before), sorted(before - set(silent))
    if gone or back:
        if topic:
            publish(topic, gone, back)
        tables.keep_note("gateways", SILENT, "\n".join(silent))
    return len(silent)


def publish(topic, gone, back):
    import boto3

    says = [f"Silent for more than an hour: {', '.join(gone)}."] if gone else []
    says += [f"Heard again: {', '.join(back)}."] if back else []
    subject = f"windfarm: {len(gone)} gateways fell silent, {len(back)} came back"
    boto3.client("sns").publish(TopicArn=topic, Subject=subject, Message="\n".join(says))


def send(namespace, farm, values):
    """Puts `values`, {metric: number}, to CloudWatch."""
    import boto3

    dimensions = [{"Name": "Farm", "Value": farm}]
    data = [
        {"MetricName": name, "Dimensions": dimensions, "Value": float(value), "Unit": _UNITS.get(name, "Count")}
        for name, value in values.items()
    ]
    boto3.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)
