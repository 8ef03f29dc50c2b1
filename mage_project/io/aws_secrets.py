"""Settings that are secrets of AWS Secrets Manager."""

from __future__ import annotations

from typing import Any

from mage_project.errors import ConfigError, StoreError
from mage_project.io.config import BaseConfigLoader


class AWSSecretLoader(BaseConfigLoader):
    """Settings whose names are the names (or ARNs) of secrets."""

    def __init__(self, **kwargs: Any) -> None:
        """`kwargs` go to boto3's client. Raises ConfigError without boto3."""
        try:
            from boto3.session import Session
        except ImportError as error:
            raise ConfigError("AWSSecretLoader needs boto3", hint="pip install 'mage-project[s3]'") from error
        self.client: Any = Session().client("secretsmanager", **kwargs)

    def contains(
        self, key: str, version_id: str | None = None, version_stage_label: str | None = None, **_kwargs: Any
    ) -> bool:
        """Whether there is such a secret, in this version."""
        return self.get(key, version_id, version_stage_label) is not None

    def get(
        self, key: str, version_id: str | None = None, version_stage_label: str | None = None, **_kwargs: Any
    ) -> Any:
        """The secret, text or bytes; None if there is none. Raises StoreError if AWS refuses."""
        from botocore.exceptions import BotoCoreError, ClientError

        version = {"VersionId": version_id, "VersionStage": version_stage_label}
        wanted = {name: value for name, value in version.items() if value is not None}
        try:
            answer = self.client.get_secret_value(SecretId=str(key), **wanted)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                return None
            told = error.response["Error"].get("Message") or error.response["Error"]["Code"]
            raise StoreError(f"AWS refuses the secret '{key}': {told}") from error
        except BotoCoreError as error:
            raise StoreError(f"the secret '{key}' cannot be read: {error}") from error
        return answer.get("SecretString", answer.get("SecretBinary"))
