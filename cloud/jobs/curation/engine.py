"""Spark, set so that it reads the conversion's texts as the other engines do, and raw objects as rows for it."""

import os
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql.types import ArrayType, StringType, StructField, StructType

from curation.raw import LINE_RULES, RowReader
from curation.stores import open_store

CATALOG = "lake"
_CATALOG = f"spark.sql.catalog.{CATALOG}"
_CATALOGS = {
    "glue": {
        f"{_CATALOG}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{_CATALOG}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    },
    "hadoop": {f"{_CATALOG}.type": "hadoop"},
}
_SETTINGS = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    _CATALOG: "org.apache.iceberg.spark.SparkCatalog",
    # A cached table would hide what another run commits.
    f"{_CATALOG}.cache-enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    # The table's times are UTC by contract: the text's own hours, never shifted by anyone's zone.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "false",
}
_BYTES_A_TASK = 4 * 1024 * 1024
TEXTS = ("check", "curate", "deliveries", "gateways", "rejects", "queries/delivery-gaps")


def start_spark(catalog, warehouse):
    # Executors that this process starts find the job's parts where it found them; Glue hands them out itself.
    here = str(Path(__file__).resolve().parent.parent)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    builder = SparkSession.builder.appName("windfarm-curate").config(f"{_CATALOG}.warehouse", warehouse)
    for name, value in {**_SETTINGS, **_CATALOGS[catalog]}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def read_texts(uri):
    """{"check": …, "curate": …, …} from the folder cloud/sql, or from a zip of it."""
    folder, _, name = uri.rpartition("/")
    if name.endswith(".zip"):
        with ZipFile(BytesIO(open_store(folder).read(name))) as archive:
            return {text: archive.read(f"{text}.sql").decode() for text in TEXTS}
    store = open_store(uri)
    found = {text: store.read(f"{text}.sql") for text in TEXTS}
    missing = [text for text in TEXTS if found[text] is None]
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
    """Reads raw objects and asks the conversion's texts of them."""

    def __init__(self, spark, texts, raw, columns, status_columns):
        self.spark = spark
        self.conversion = conversion_id(texts)
        self._texts = texts
        self._raw = raw
        # What check.sql reads besides the readings' fields, and takes for no text: whatever has a kind is no reading.
        self._columns = (("kind", "kind"), ("sent", "timestamp"), *columns)
        self._status = status_columns

    def view(self, objects, with_lines=False):
        """Registers raw_readings and raw_gateways over `objects`, {key: bytes}, and checked_readings; what to unpersist."""
        names = [*(name for name, _ in self._columns), "raw_object", "raw_line"]
        schema = StructType([StructField(name, StringType()) for name in ("is_json", *names)])
        store, reader = self._raw, RowReader(self._columns, self._status, with_lines)

        def rows(keys):
            for key in keys:
                packed = store.read(key)
                if packed is None:
                    raise FileNotFoundError(f"{key} was there when the run began and is gone: objects are not to go")
                yield from reader.rows(key, packed)

        slices = self._slices(objects)
        lines = self.spark.sparkContext.parallelize(slices, max(1, len(slices))).flatMap(rows)
        schema = schema.add("status", ArrayType(StringType()))
        read = self.spark.createDataFrame(lines, schema, verifySchema=False).persist(StorageLevel.MEMORY_AND_DISK)
        read.createOrReplaceTempView("raw_readings")
        said = ", ".join(f"status[{number}] AS {name}" for number, (name, _) in enumerate(self._status))
        self.spark.sql(f"SELECT {said}, raw_object FROM raw_readings WHERE status IS NOT NULL").createOrReplaceTempView(
            "raw_gateways"
        )
        self.ask("check").createOrReplaceTempView("checked_readings")
        return read

    def ask(self, text):
        """The answer of one of the texts, over the views there are."""
        return self.spark.sql(self._texts[text])

    def _slices(self, objects):
        """Groups of objects for a task each, alike in bytes."""
        tasks = max(self.spark.sparkContext.defaultParallelism, sum(objects.values()) // _BYTES_A_TASK)
        by_size = sorted(objects, key=lambda key: (-objects[key], key))
        return [group for group in (by_size[first::tasks] for first in range(tasks)) if group]
