"""Loads an arrival hour after the other in one Spark, and tells what each cost: run by hours.test.ts, a line of JSON on stdout.

argv: the folder of raw objects to come, then the job's arguments. Starting Spark is not counted: it costs every run the same.
"""

import io
import json
import os
import shutil
import sys
from contextlib import redirect_stdout
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "cloud/jobs"))

from pyspark.sql import SparkSession  # noqa: E402

import curate  # noqa: E402

coming, arguments = Path(sys.argv[1]), sys.argv[2:]
raw = Path(arguments[arguments.index("--raw") + 1])


def cpu_seconds():
    """Of Spark's process and the workers it started, ended ones included."""
    parents, ticks = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        pid = int(stat.parent.name)
        parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    spark = SparkSession.getActiveSession().sparkContext._gateway.proc.pid
    family = {spark}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(ticks.get(pid, 0) for pid in family) / os.sysconf("SC_CLK_TCK")


def written_bytes():
    lake = Path(arguments[arguments.index("--lake") + 1])
    return sum(file.stat().st_size for file in lake.rglob("*") if file.is_file())


hours = []
for hour in sorted(path for path in coming.glob("readings/*/*")):
    (raw / hour.relative_to(coming)).parent.mkdir(parents=True, exist_ok=True)
    shutil.move(hour, raw / hour.relative_to(coming))
    before = (cpu_seconds(), written_bytes()) if hours else (0, 0)
    said = io.StringIO()
    with redirect_stdout(said):
        curate.main(arguments)
    counts = json.loads(said.getvalue().strip().split("\n")[-1])["curated"]
    hours.append({"cpu": cpu_seconds() - before[0], "bytes": written_bytes() - before[1], "rows": counts["rows"]})
print(json.dumps(hours), flush=True)
