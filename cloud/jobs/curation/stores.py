"""Where objects lie: an S3 bucket, or a folder that stands for one. Objects are written whole or not at all."""

import os
import shutil
import uuid
from pathlib import Path
from urllib.parse import unquote, urlparse


def open_store(uri):
    """The store at `s3://bucket[/prefix]`, `file:///folder` or a plain path."""
    parts = urlparse(uri)
    if parts.scheme in ("s3", "s3a"):
        return BucketStore(parts.netloc, parts.path.strip("/"))
    if parts.scheme == "file":
        return FolderStore(unquote(parts.path))
    if parts.scheme == "":
        return FolderStore(uri)
    raise ValueError(f"{uri} is neither s3:// nor a folder")


class FolderStore:
    """A folder; keys are paths below it."""

    def __init__(self, root):
        self.root = str(Path(root).resolve())

    def uri(self, key):
        # Spark takes the text as it is: an escaped "=" would name another folder.
        return f"file://{self.root}/{key}"

    def list(self, folder):
        """[(key, bytes)] of all objects below `folder`, in the order of their keys."""
        found = []
        for path, _, names in os.walk(Path(self.root, folder)):
            for name in names:
                if name.startswith(".") or name.endswith(".tmp"):
                    continue
                file = Path(path, name)
                found.append((file.relative_to(self.root).as_posix(), file.stat().st_size))
        return sorted(found)

    def read(self, key):
        """The object's bytes, or None."""
        try:
            return Path(self.root, key).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, key, data):
        path = Path(self.root, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        _sync(path.parent)

    def remove(self, key):
        Path(self.root, key).unlink(missing_ok=True)

    def prepare(self, folder):
        """Makes a folder for other programs to write below."""
        Path(self.root, folder).mkdir(parents=True, exist_ok=True)

    def settle(self, folder):
        """Makes what another program wrote into `folder` outlive a power cut."""
        path = Path(self.root, folder)
        for file in path.iterdir():
            _sync(file)
        _sync(path)

    def supersede(self, folder):
        """Gives up a folder that nobody reads any more."""
        shutil.rmtree(Path(self.root, folder), ignore_errors=True)


class BucketStore:
    """An S3 bucket, or what lies in it below a prefix; keys are without the prefix."""

    def __init__(self, bucket, prefix="", tag=None):
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.tag = tag
        """(key, value) that the bucket's lifecycle takes as the mark of a superseded object."""
        self._region = _region()
        """The driver's, for the executors don't always know theirs."""
        self._client = None

    def __getstate__(self):
        """It travels to the executors without its connections."""
        return {**self.__dict__, "_client": None}

    @property
    def client(self):
        if self._client is None:
            import boto3

            self._client = boto3.client("s3", region_name=self._region)
        return self._client

    def uri(self, key):
        return f"s3://{self.bucket}/{self.prefix}{key}"

    def list(self, folder):
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.prefix}{folder}/"
        )
        return sorted(
            (item["Key"][len(self.prefix) :], item["Size"]) for page in pages for item in page.get("Contents", [])
        )

    def read(self, key):
        try:
            return self.client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None

    def write(self, key, data):
        self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data)

    def remove(self, key):
        self.client.delete_object(Bucket=self.bucket, Key=self.prefix + key)

    def prepare(self, folder):
        """Marks the folder as one: Spark's S3 client else looks for a file of its name, which the role forbids."""
        self.client.put_object(Bucket=self.bucket, Key=f"{self.prefix}{folder}/", Body=b"")

    def settle(self, folder):
        """An object is durable once it is there."""

    def supersede(self, folder):
        """Marks the folder's objects for the lifecycle rule; without a mark to give, leaves them."""
        if self.tag is None:
            return
        tags = {"TagSet": [{"Key": self.tag[0], "Value": self.tag[1]}]}
        for key, _ in self.list(folder):
            self.client.put_object_tagging(Bucket=self.bucket, Key=self.prefix + key, Tagging=tags)


def _region():
    import boto3

    return boto3.session.Session().region_name


def _sync(path):
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
