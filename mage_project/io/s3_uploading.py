"""Uploads to S3 that appear when they are told to."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from mage_project.io import s3_errors

#: Parts have at least 5 MiB, and an object at most 10,000 of them.
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
_PART_BYTES = 16 * 1024 * 1024
_PARTS = 10_000


class Upload:
    """A file on its way to an object, all of it sent that needs time: the object is as before until `finish`."""

    def __init__(self, client: Any, bucket: str, key: str, file: Path) -> None:
        """Send a large file in parts; hold a small one, and see that there is a bucket for it."""
        self._client = client
        self._names = {"Bucket": bucket, "Key": key}
        self._id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._content = b""
        size = file.stat().st_size
        if size <= _PART_BYTES:
            self._content = file.read_bytes()
            client.head_bucket(Bucket=bucket)
            return
        self._id = client.create_multipart_upload(**self._names)["UploadId"]
        try:
            self._send(file, max(_PART_BYTES, size // _PARTS + 1))
        except BaseException:
            self.abandon()
            raise

    def finish(self) -> None:
        """The object is there, whole. S3 checks what it got against checksums that boto3 sends along."""
        if self._id is None:
            self._client.put_object(**self._names, Body=self._content)
            return
        try:
            parts = {"Parts": self._parts}
            self._client.complete_multipart_upload(**self._names, UploadId=self._id, MultipartUpload=parts)
        except BaseException:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Let go of the parts that were sent: the store charges for them until it is told."""
        if self._id is not None:
            with suppress(*s3_errors.ALL):
                self._client.abort_multipart_upload(**self._names, UploadId=self._id)

    def _send(self, file: Path, part_bytes: int) -> None:
        with file.open("rb") as source:
            while piece := source.read(part_bytes):
                number = len(self._parts) + 1
                sent = self._client.upload_part(**self._names, UploadId=self._id, PartNumber=number, Body=piece)
                checksums = {name: value for name, value in sent.items() if name.startswith("Checksum")}
                checksums.pop("ChecksumType", None)
                self._parts.append({"PartNumber": number, "ETag": sent["ETag"], **checksums})
