"""The embedded GCS server: objects are plain files, reached over HTTP on 127.0.0.1 only."""

from __future__ import annotations

import os
import re
import shutil
import sys

from mage_project.errors import ConfigError
from mage_project.local import objects
from mage_project.local.accounts import hand_over, server_account
from mage_project.local.binaries import gcs_program
from mage_project.local.folders import StackFolder
from mage_project.local.launches import Program, plain_environment
from mage_project.local.ports import HOST, answers_http

_BUCKET = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){1,220}[a-z0-9]")


def bucket_name(name: str) -> str:
    """The name, if a bucket may be called so; raises ConfigError."""
    if not _BUCKET.fullmatch(name):
        raise ConfigError(
            f"A bucket cannot be called {name!r}.",
            hint="Use 3 to 63 lower-case letters, digits, '-', '_' and single dots, a letter or digit at both ends.",
        )
    return name


class GcsServer:
    """Google Cloud Storage of one project."""

    name = "gcs"

    def __init__(self, folder: StackFolder) -> None:
        self._folder = folder

    def missing(self) -> str | None:
        """Nothing that is known before a start."""
        return None

    def prepare(self, port: int, lock: int) -> Program:
        """Makes the folders and tidies them; the server's command line."""
        account = server_account(self._folder.gcs)
        program = gcs_program(account)
        temporary = self._folder.gcs / "tmp"
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in (self._folder.gcs, self._folder.objects, temporary):
            folder.mkdir(mode=0o700, exist_ok=True)
            hand_over(folder, account)
        self._check_attributes()
        objects.set_aside(self._folder)
        address = f"{HOST}:{port}"
        return Program(
            argv=(
                str(program),
                # Relative: another user cannot walk to a project below a private folder, but may stay in it.
                *("-backend", "filesystem", "-filesystem-root", "objects"),
                *("-scheme", "http", "-host", HOST, "-port", str(port)),
                *("-external-url", f"http://{address}", "-public-host", address, "-log-level", "error"),
            ),
            folder=self._folder.gcs,
            # On the disk of the objects, so that a kill leaves half an upload there and not in a bucket.
            environment={**plain_environment(), "TMPDIR": "tmp"},
            account=account,
        )

    def complete(self, port: int) -> None:
        """Takes in what the last server could not finish."""
        objects.take_in(self._folder, self.url(port))

    def answers(self, port: int) -> bool:
        """Whether the server says that it is well."""
        return answers_http(port, "/_internal/healthcheck")

    def url(self, port: int) -> str:
        """The root of the JSON API."""
        return f"http://{HOST}:{port}"

    def environment(self, port: int) -> dict[str, str]:
        """The variables of google-cloud-storage and Arrow; gcsfs stalls a minute per bucket without its one."""
        return {
            "STORAGE_EMULATOR_HOST": self.url(port),
            "CLOUD_STORAGE_EMULATOR_ENDPOINT": self.url(port),
            "GOOGLE_CLOUD_PROJECT": "local",
            "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
        }

    def _check_attributes(self) -> None:
        if sys.platform != "linux":
            return
        try:
            os.setxattr(self._folder.objects, "user.mage_project", b"1")
        except OSError as error:
            raise ConfigError(
                f"The disk cannot keep the extended attributes that the GCS server needs: {error.strerror}.",
                where=str(self._folder.objects),
                hint="Move the project to a local disk (ext4, xfs, btrfs).",
            ) from error
