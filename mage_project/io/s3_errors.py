"""What S3 refuses, told with the object, the cause and what may help."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from boto3.exceptions import Boto3Error
from botocore import exceptions as boto

from mage_project.errors import StoreError, StoreUnavailable, did_you_mean

ALL = (boto.BotoCoreError, boto.ClientError, Boto3Error)

#: Objects that are looked through for the one that may be meant.
_LISTED = 1_000
_PASSING = {408, 429, 500, 502, 503, 504}
_UNREACHED = (boto.ConnectionError, boto.HTTPClientError)
_NOBODY = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.ProfileNotFound)


def told(error: Exception, client: Any, doing: str, bucket: str, key: str) -> StoreError:
    """The error to raise for boto3's. `doing`: `loading s3://lake/trips.parquet`."""
    if isinstance(error, _NOBODY):
        hint = "give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the profile or the environment"
        return StoreError(f"there are no credentials for S3 (while {doing})", hint=hint)
    if isinstance(error, _UNREACHED):
        what = f"S3 cannot be reached while {doing}: {error}"
        return StoreUnavailable(what, hint="nothing was changed: run it again later; AWS_ENDPOINT names the server")
    if not isinstance(error, boto.ClientError):
        return StoreError(f"S3 failed while {doing}: {error}")
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = f"HTTP {status} {code}: {error.response.get('Error', {}).get('Message', '')}"
    if status == 404:
        return _missing(client, doing, bucket, key)
    if status in {401, 403}:
        hint = "give the user s3:GetObject, s3:PutObject and s3:ListBucket on the bucket, or use another one's key"
        return StoreError(f"S3 refuses while {doing}: {message}", hint=hint)
    if status in _PASSING:
        what = f"S3 failed while {doing}, tried again in vain: {message}"
        return StoreUnavailable(what, hint="nothing was changed: run it again later")
    return StoreError(f"S3 refuses while {doing}: {message}")


def _missing(client: Any, doing: str, bucket: str, key: str) -> StoreError:
    """The object or the bucket, with the name that may be meant."""
    with suppress(*ALL):
        listed = client.list_objects_v2(Bucket=bucket, Prefix=_folder(key), MaxKeys=_LISTED)
        names = [found["Key"] for found in listed.get("Contents", [])]
        return StoreError(f"there is no object s3://{bucket}/{key}.{did_you_mean(key, names)}")
    buckets: list[str] = []
    with suppress(*ALL):
        buckets = [found["Name"] for found in client.list_buckets()["Buckets"]]
    what = f"there is no bucket '{bucket}' (while {doing}).{did_you_mean(bucket, buckets)}"
    return StoreError(what, hint=f"create it: aws s3 mb s3://{bucket}")


def _folder(key: str) -> str:
    folder, slash, _ = key.rpartition("/")
    return folder + slash
