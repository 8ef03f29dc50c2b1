"""Whether this machine has an account with Google: what `gcloud` left, or its own in Google's cloud."""

from __future__ import annotations

import http
import http.client
import os
from pathlib import Path

#: The metadata server answers within a few milliseconds, from the same physical machine.
_TIMEOUT_S = 0.5
_HOST = "169.254.169.254"
_ACCOUNT = "/computeMetadata/v1/instance/service-accounts/default/email"
_PRODUCT = Path("/sys/class/dmi/id/product_name")
#: Variables that Google sets where code runs without a machine of its own: Cloud Run, App Engine, Cloud Functions.
_SIGNS = ("K_SERVICE", "CLOUD_RUN_JOB", "GAE_SERVICE", "FUNCTION_TARGET", "GCE_METADATA_HOST")


def exists() -> bool:
    """Whether Application Default Credentials are there without GOOGLE_APPLICATION_CREDENTIALS.

    Asks the network only where signs of Google's cloud are seen.
    https://cloud.google.com/docs/authentication/application-default-credentials
    """
    return _of_gcloud().is_file() or (_is_in_googles_cloud() and _has_account())


def _of_gcloud() -> Path:
    """The file of `gcloud auth application-default login`."""
    named = os.environ.get("CLOUDSDK_CONFIG")
    if named:
        folder = Path(named)
    elif os.name == "nt":
        folder = Path(os.environ.get("APPDATA", "C:\\")) / "gcloud"
    else:
        folder = Path.home() / ".config" / "gcloud"
    return folder / "application_default_credentials.json"


def _is_in_googles_cloud() -> bool:
    if os.environ.get("NO_GCE_CHECK", "").lower() == "true":
        return False
    try:
        return any(os.environ.get(sign) for sign in _SIGNS) or _PRODUCT.read_text().startswith("Google")
    except OSError:
        return False


def _has_account() -> bool:
    """Whether the metadata server knows an account of this machine.

    https://cloud.google.com/compute/docs/metadata/querying-metadata
    """
    connection = http.client.HTTPConnection(os.environ.get("GCE_METADATA_HOST") or _HOST, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", _ACCOUNT, headers={"Metadata-Flavor": "Google"})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
