"""Where raw objects lie: an S3 bucket, or a folder that stands for one. They are only read."""

import os
from datetime import datetime, timezone
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

    def list(self, folder, since=""):
        """{key: (bytes, when it was written)} of all objects below `folder`, or of those whose keys come after `since`."""
        found = {}
        for path, _, names in os.walk(Path(self.root, folder)):
            for file in (Path(path, name) for name in names if not name.startswith(".") and not name.endswith(".tmp")):
                about = file.stat()
                written = datetime.fromtimestamp(about.st_mtime, timezone.utc)
                found[file.relative_to(self.root).as_posix()] = (about.st_size, written)
        return {key: about for key, about in found.items() if key > since}

    def read(self, key):
        """The object's bytes, or None."""
        try:
            return Path(self.root, key).read_bytes()
        except FileNotFoundError:
            return None


class BucketStore:
    """An S3 bucket, or what lies in it below a prefix; keys are without the prefix."""

    def __init__(self, bucket, prefix=""):
        import boto3

        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self._region = boto3.session.Session().region_name
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

    def list(self, folder, since=""):
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=f"{self.prefix}{folder}/", StartAfter=self.prefix + (since or folder)
        )
        items = (item for page in pages for item in page.get("Contents", []))
        return {item["Key"][len(self.prefix) :]: (item["Size"], item["LastModified"]) for item in items}

    def read(self, key):
        try:
            return self.client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()
        except self.client.exceptions.NoSuchKey:
            return None
