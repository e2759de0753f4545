"""Spark, set so that it reads the conversion's texts as the other engines do, and raw objects as rows for it."""

import os
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from pyspark.sql import SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from curation.raw import LINE_RULES, rows_of
from curation.stores import open_store

_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    # The table's times are UTC by contract: the text's own hours, never shifted by anyone's zone.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "false",
}
_BYTES_A_TASK = 16 * 1024 * 1024


def start_spark():
    # Executors that this process starts find the job's parts where it found them; Glue hands them out itself.
    here = str(Path(__file__).resolve().parent.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    spark = SparkSession.builder.appName("windfarm-curate").getOrCreate()
    for name, value in _SETTINGS.items():
        spark.conf.set(name, value)
    return spark


def read_texts(uri):
    """{"check": …, "curate": …, "rejects": …} from a folder, or from a zip of one."""
    folder, _, name = uri.rpartition("/")
    names = ("check", "curate", "rejects")
    if name.endswith(".zip"):
        with ZipFile(BytesIO(open_store(folder).read(name))) as archive:
            return {text: archive.read(f"{text}.sql").decode() for text in names}
    store = open_store(uri)
    found = {text: store.read(f"{text}.sql") for text in names}
    missing = [text for text in names if found[text] is None]
    if missing:
        raise FileNotFoundError(f"{uri} has no {missing[0]}.sql; --sql names the folder cloud/sql or a zip of it")
    return {text: sql.decode() for text, sql in found.items()}


def conversion_id(texts):
    """Names what raw lines become, as conversionId of cloud/sql/read.ts does: without comments and blank lines."""
    named = sha256(f"lines {LINE_RULES}\n".encode())
    for name in ("check", "curate"):
        for line in texts[name].split("\n"):
            if line.strip() and not line.lstrip().startswith("--"):
                named.update(f"{line}\n".encode())
    return named.hexdigest()[:16]


class Engine:
    def __init__(self, spark, texts, raw, layout):
        self.spark = spark
        self.conversion = conversion_id(texts)
        self._texts = texts
        self._raw = raw
        self._layout = layout

    def view(self, objects, with_lines=False):
        """Registers raw_readings over `objects`, {key: bytes}, and checked_readings over it."""
        columns = ["is_json", *self._layout.names, "raw_object", "raw_line"]
        schema = StructType([StructField(name, StringType()) for name in columns])
        store, read = self._raw, self._layout.columns

        def rows(keys):
            for key in keys:
                packed = store.read(key)
                if packed is None:
                    raise FileNotFoundError(f"{key} was there when the run began and is gone: objects are not to go")
                yield from rows_of(key, packed, read, with_lines)

        slices = self._slices(objects)
        lines = self.spark.sparkContext.parallelize(slices, max(1, len(slices))).flatMap(rows)
        self.spark.createDataFrame(lines, schema, verifySchema=False).createOrReplaceTempView("raw_readings")
        self.spark.sql(self._texts["check"]).createOrReplaceTempView("checked_readings")

    def curated(self):
        """The deduplicated readings of the view."""
        return self.spark.sql(self._texts["curate"])

    def rejects(self):
        return self.spark.sql(self._texts["rejects"])

    def _slices(self, objects):
        """Groups of objects for a task each, alike in bytes."""
        tasks = max(self.spark.sparkContext.defaultParallelism, sum(objects.values()) // _BYTES_A_TASK)
        by_size = sorted(objects, key=lambda key: (-objects[key], key))
        return [group for group in (by_size[first::tasks] for first in range(tasks)) if group]


