"""Asks Spark about the tables of a lake: what to do on stdin, {"warehouse": folder, "database": name, …}, answers on stdout.

"queries": {name: sql} → {name: [[text or null]]}; "export": {folder: sql} writes Parquet; "poll": file → counts of the rows,
a line each, until there is that file; "time": [sql] → seconds, a line each; "copy" copies tables to a folder for engines
that call it by another name.
"""

import json
import os
import shutil
import sys
import time
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
for sql in asked.get("time", []):
    begun = time.monotonic()
    spark.sql(sql).collect()
    print(time.monotonic() - begun, flush=True)
for folder, sql in asked.get("export", {}).items():
    spark.sql(sql).write.parquet(folder)
if "copy" in asked:
    # An Iceberg table says where it lies with every file's name, so a copy for another file system is written anew.
    source, target, into = asked["warehouse"], asked["copy"]["as"], asked["copy"]["into"]
    for table in asked["copy"]["tables"]:
        staging = f"{into}/staging/{table}"
        call = f"table => '{asked['database']}.{table}', source_prefix => '{source}', target_prefix => '{target}'"
        made = spark.sql(f"CALL {CATALOG}.system.rewrite_table_path({call}, staging_location => '{staging}')").collect()[0]
        for row in spark.read.csv(made.file_list_location).collect():
            place = Path(row[1].replace(target, into, 1))
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(row[0].removeprefix("file:"), place)
        print(json.dumps({"table": table, "latest": Path(made.latest_version).name}), flush=True)
if "queries" in asked:
    answers = {name: [[text(v) for v in row] for row in spark.sql(sql).collect()] for name, sql in asked["queries"].items()}
    print(json.dumps(answers), flush=True)
