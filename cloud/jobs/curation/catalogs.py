"""Which version of each day is the table: Glue's Data Catalog, or the local lake's file.

A day is replaced by one update, and only in the place of the version that was seen: whoever was overtaken by another
run starts the day again.
"""

import fcntl
import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path


@dataclass(frozen=True)
class Day:
    """A version of a day, and what it was made from: raw objects, and readings in them with duplicates."""

    version: str
    files: list
    rows: int
    bytes: int
    objects: int
    readings: int
    conversion: str = ""
    """What made it of them (Engine.conversion)."""


class FileCatalog:
    """catalog.json in the lake's folder, as the local cloud keeps it; that cloud must not run meanwhile."""

    def __init__(self, store, layout):
        self._store = store
        self._layout = layout

    def days(self):
        return {day: Day(**found) for day, found in self._read().get("days", {}).items()}

    def replace(self, day, seen, made):
        """Puts `made` in the place of the version `seen` (None for none); False where another stands there."""
        with self._locked():
            catalog = self._read()
            days = catalog.get("days", {})
            if days.get(day, {}).get("version") != seen:
                return False
            catalog = {
                "table": f"{self._layout.database}.{self._layout.table}",
                "updated": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "days": {**days, day: asdict(made)},
            }
            self._store.write("catalog.json", (json.dumps(catalog, separators=(",", ":")) + "\n").encode())
            return True

    def _read(self):
        return json.loads(self._store.read("catalog.json") or b"{}")

    @contextmanager
    def _locked(self):
        path = Path(self._store.root, "catalog.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class GlueCatalog:
    """The table's partitions in Glue; what the version was made from stands in their parameters."""

    def __init__(self, store, layout, client=None):
        self._store = store
        self._layout = layout
        if client is None:
            import boto3

            client = boto3.client("glue")
        self._glue = client
        self._table = {"DatabaseName": layout.database, "TableName": layout.table}

    def days(self):
        pages = self._glue.get_paginator("get_partitions").paginate(**self._table, ExcludeColumnSchema=True)
        return {part["Values"][0]: _day_of(part) for page in pages for part in page["Partitions"]}

    def replace(self, day, seen, made):
        """As FileCatalog.replace, as nearly as Glue allows."""
        described = self._input(day, made)
        # Glue updates a partition without comparing, so between the look and the update, one call after the other, another
        # run may still put its version here and lose it again. Both runs made theirs from raw objects, so a reader sees a
        # true day; it may be the one made from fewer. That heals: whoever lost sees it when it is done (curate.py looks
        # again) and, where it was done before, the next run finds other counts in the index than beside the partition.
        current = self._partition(day)
        if (current.version if current else None) != seen:
            return False
        if current is not None:
            self._glue.update_partition(**self._table, PartitionValueList=[day], PartitionInput=described)
            return True
        try:
            self._glue.create_partition(**self._table, PartitionInput=described)
            return True
        except self._glue.exceptions.AlreadyExistsException:
            return False

    def _partition(self, day):
        try:
            return _day_of(self._glue.get_partition(**self._table, PartitionValues=[day])["Partition"])
        except self._glue.exceptions.EntityNotFoundException:
            return None

    def _input(self, day, made):
        table = self._glue.get_table(DatabaseName=self._layout.database, Name=self._layout.table)["Table"]
        location = self._store.uri(self._layout.version_folder(day, made.version)) + "/"
        counts = {name: str(getattr(made, name)) for name in ("rows", "bytes", "objects", "readings")}
        return {
            "Values": [day],
            "StorageDescriptor": {**table["StorageDescriptor"], "Location": location},
            "Parameters": {"classification": "parquet", "version": made.version, "conversion": made.conversion, **counts},
        }


def _day_of(partition):
    said = partition.get("Parameters", {})
    counts = {name: int(said.get(name, -1)) for name in ("rows", "bytes", "objects", "readings")}
    return Day(version=said.get("version", ""), files=[], conversion=said.get("conversion", ""), **counts)
