"""Asks Spark about the tables of a lake: what to do on stdin, {"warehouse": folder, "database": name, …}, answers on stdout.

"queries": {name: sql} → {name: [[text or null]]}; "export": {folder: sql} writes Parquet; "poll": file → counts of the rows,
a line each, until there is that file.
"""

import json
import os
import sys
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "cloud/jobs"))

from curation.engine import CATALOG, start_spark  # noqa: E402


def text(value):
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else repr(value) if isinstance(value, float) else str(value)


asked = json.load(sys.stdin)
spark = start_spark("hadoop", asked["warehouse"])
spark.sql(f"USE {CATALOG}.{asked['database']}")
if "poll" in asked:
    while True:
        last = os.path.exists(asked["poll"])
        print(spark.sql("SELECT count(*) FROM readings").collect()[0][0], flush=True)
        if last:
            break
for folder, sql in asked.get("export", {}).items():
    spark.sql(sql).write.parquet(folder)
if "queries" in asked:
    answers = {name: [[text(v) for v in row] for row in spark.sql(sql).collect()] for name, sql in asked["queries"].items()}
    print(json.dumps(answers), flush=True)
