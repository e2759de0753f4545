"""Asks Spark: {"table": name, "files": [...], "queries": {name: sql}} on stdin, {name: [[text or null]]} on stdout."""

import json
import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "cloud/jobs"))

from curation.engine import start_spark  # noqa: E402


def text(value):
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    return None if value is None else repr(value) if isinstance(value, float) else str(value)


asked = json.load(sys.stdin)
spark = start_spark()
# The day is read from the folder's name, as text: v=…, dt=….
spark.conf.set("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
folder = asked["folder"]
readings = spark.read.option("basePath", folder).parquet(*asked["files"])
readings.createOrReplaceTempView(asked["table"])
answers = {name: [[text(v) for v in row] for row in spark.sql(sql).collect()] for name, sql in asked["queries"].items()}
print(json.dumps(answers), flush=True)
