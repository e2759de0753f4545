"""The job's parts that speak to S3 and Glue, against moto's: run by aws-parts.test.ts, a line of JSON on stdout."""

import json
import os
import pickle
import sys
from datetime import timedelta
from pathlib import Path

for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    os.environ[name] = "testing"
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "cloud/jobs"))

import boto3  # noqa: E402
from moto import mock_aws  # noqa: E402

from curation.arguments import Layout  # noqa: E402
from curation.catalogs import Day, GlueCatalog  # noqa: E402
from curation.days import made_at, new_version, supersede  # noqa: E402
from curation.engine import read_texts  # noqa: E402
from curation.index import HourIndex  # noqa: E402
from curation.stores import open_store  # noqa: E402

LAYOUT = Layout(
    database="windfarm",
    table="readings",
    raw_folder="readings",
    curated_folder="curated/readings",
    rejects_folder="rejects",
    index_folder="index",
    day_key="dt",
    version_key="v",
    raw_partitions=("dt", "hr"),
    columns=(("id", "string"),),
)
DAY = "2026-11-22"


def main():
    s3 = boto3.client("s3")
    for bucket in ("raw", "lake", "assets"):
        s3.create_bucket(Bucket=bucket)
    print(json.dumps({**stores(s3), **glue(), **texts(s3)}))


def removed(store):
    store.write("rejects/x.ndjson", b"x")
    store.remove("rejects/x.ndjson")
    return store.read("rejects/x.ndjson")


def stores(s3):
    lake = open_store("s3://lake")
    lake.tag = ("windfarm:superseded", "true")
    keys = [f"readings/dt={DAY}/hr=00/{number:04}.gz" for number in range(1_200)]
    raw = open_store("s3://raw")
    for key in keys:
        raw.write(key, b"x")
    raw.write("readings/stray.gz", b"x")
    raw.write("errors/x.gz", b"x")
    there = [key for key, _ in raw.list("readings") if LAYOUT.is_raw(key)]
    index = HourIndex(lake, LAYOUT, "text")
    unknown = index.load(keys[:2])
    index.add({"object": key, "conversion": "text", "readings": 2, "days": {DAY: 2}, "rejects": {}} for key in keys[:2])
    known = HourIndex(lake, LAYOUT, "text")
    folders = {name: f"curated/readings/dt={DAY}/v={name}-a" for name in ("20261101T000000000Z", "20261102T000000000Z")}
    for folder in folders.values():
        lake.write(f"{folder}/part.parquet", b"x")
    lake.prepare(LAYOUT.curated_folder)
    current = {DAY: Day("20261102T000000000Z-a", [], 1, 1, 1, 1)}
    born = made_at(current[DAY].version)
    early = supersede(lake, LAYOUT, current, timedelta(hours=24), born + timedelta(hours=23))
    late = supersede(lake, LAYOUT, current, timedelta(hours=24), born + timedelta(hours=24))
    tags = {
        name: s3.get_object_tagging(Bucket="lake", Key=f"{folder}/part.parquet")["TagSet"]
        for name, folder in folders.items()
    }
    return {
        "listed": there == keys,
        "prepared": lake.read(f"{LAYOUT.curated_folder}/") == b"",
        "nothing": raw.read("readings/none.gz"),
        "travels": pickle.loads(pickle.dumps(raw)).read(keys[0]).decode(),
        "unknown": len(unknown),
        "stillUnknown": known.load(keys[:3]),
        "otherText": len(HourIndex(lake, LAYOUT, "other").load(keys[:2])),
        "removed": removed(lake),
        "days": known.days(),
        "superseded": [early, late],
        "tags": tags,
    }


class Meanwhile:
    """A client of Glue; `happens` once, after the first call that tells of the table."""

    def __init__(self, client, happens):
        self._client = client
        self._happens = happens

    def get_table(self, **asked):
        answer = self._client.get_table(**asked)
        happens, self._happens = self._happens, lambda: None
        happens()
        return answer

    def __getattr__(self, name):
        return getattr(self._client, name)


def glue():
    client = boto3.client("glue")
    client.create_database(DatabaseInput={"Name": "windfarm"})
    storage = {"Columns": [{"Name": "id", "Type": "string"}], "Location": "s3://lake/curated/readings/"}
    table = {"Name": "readings", "StorageDescriptor": storage, "PartitionKeys": [{"Name": "dt", "Type": "string"}]}
    client.create_table(DatabaseName="windfarm", TableInput=table)
    mine, others = (GlueCatalog(open_store("s3://lake"), LAYOUT) for _ in range(2))
    first, second, third = (Day(version, [], 3, 9, 1, 4) for version in ("1", "2", "3"))
    replaced = [
        mine.replace(DAY, None, first),
        others.replace(DAY, None, second),
        others.replace(DAY, "1", second),
        mine.replace(DAY, "1", third),
    ]
    # Another run replaces the day while this one asks Glue for what it needs: it must be seen.
    overtaken = GlueCatalog(open_store("s3://lake"), LAYOUT, Meanwhile(client, lambda: others.replace(DAY, "2", third)))
    replaced.append(overtaken.replace(DAY, "2", Day("4", [], 3, 9, 1, 4)))
    partition = client.get_partition(DatabaseName="windfarm", TableName="readings", PartitionValues=[DAY])["Partition"]
    day = mine.days()[DAY]
    return {
        "replaced": replaced,
        "location": partition["StorageDescriptor"]["Location"],
        "day": [day.version, day.rows, day.bytes, day.objects, day.readings],
    }


def texts(s3):
    import io
    import zipfile

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("check", "curate", "rejects"):
            archive.writestr(f"{name}.sql", f"SELECT '{name}'")
    s3.put_object(Bucket="assets", Key="some/hash.zip", Body=packed.getvalue())
    return {"texts": read_texts("s3://assets/some/hash.zip")}


with mock_aws():
    main()
