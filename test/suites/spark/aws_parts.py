"""The job's parts that speak to S3, SNS and CloudWatch, against moto's: run by aws-parts.test.ts, a line of JSON on stdout."""

import io
import json
import os
import pickle
import sys
import zipfile
from pathlib import Path

for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    os.environ[name] = "testing"
os.environ["AWS_DEFAULT_REGION"] = "us-east-1"
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "cloud/jobs"))

import boto3  # noqa: E402
from moto import mock_aws  # noqa: E402

from curation import report  # noqa: E402
from curation.engine import TEXTS, read_texts  # noqa: E402
from curation.stores import open_store  # noqa: E402


def main():
    print(json.dumps({**stores(), **texts(), **topic(), **metrics()}))


def stores():
    s3 = boto3.client("s3")
    for bucket in ("raw", "assets"):
        s3.create_bucket(Bucket=bucket)
    keys = [f"readings/dt=2026-11-22/hr=00/{number:04}.gz" for number in range(1_200)]
    for key in [*keys, "errors/x.gz"]:
        s3.put_object(Bucket="raw", Key=key, Body=b"xy")
    raw = open_store("s3://raw")
    found = raw.list("readings")
    return {
        "listed": sorted(found) == keys,
        "listed_since": sorted(raw.list("readings", keys[1_099])) == keys[1_100:],
        "size": found[keys[0]][0],
        "nothing": raw.read("readings/none.gz"),
        "travels": pickle.loads(pickle.dumps(raw)).read(keys[0]).decode(),
    }


def texts():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in TEXTS:
            archive.writestr(f"{name}.sql", f"SELECT '{name}'")
    boto3.client("s3").put_object(Bucket="assets", Key="some/hash.zip", Body=packed.getvalue())
    return {"texts": read_texts("s3://assets/some/hash.zip") == {name: f"SELECT '{name}'" for name in TEXTS}}


def topic():
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="mail")["QueueUrl"]
    place = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=place)
    report.publish(arn, ["gw-01", "gw-02"], ["gw-03"])
    message = json.loads(sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"])
    return {"subject": message["Subject"], "message": message["Message"]}


def metrics():
    report.send("Windfarm", "farm", {"SecondsBehind": 90.5, "Missing": 2})
    told = boto3.client("cloudwatch").list_metrics(Namespace="Windfarm")["Metrics"]
    return {"metrics": sorted([metric["MetricName"], metric["Dimensions"]] for metric in told)}


with mock_aws():
    main()
