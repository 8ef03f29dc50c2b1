"""Where the servers of one project keep their data, locks, ports and logs.

The watcher imports this: nothing heavy here.
"""

from __future__ import annotations

import errno
from pathlib import Path


class StackFolder:
    """The folder `<project>/.mage_project/local`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_project(cls, project_root: Path) -> StackFolder:
        """The folder of the project at `project_root`; nothing is made yet."""
        return cls(project_root.resolve() / ".mage_project" / "local")

    @property
    def users_lock(self) -> Path:
        """Locked (shared) by every process that uses the stack; the watcher waits for it."""
        return self.path / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Locked while somebody starts or stops servers."""
        return self.path / "start.lock"

    @property
    def watcher_lock(self) -> Path:
        """Locked by the watcher as long as it lives."""
        return self.path / "watcher.lock"

    @property
    def gcs(self) -> Path:
        """What the GCS server may write to: `objects/<bucket>/<object>` and `tmp/`."""
        return self.path / "gcs"

    @property
    def objects(self) -> Path:
        """The folder with one folder per bucket."""
        return self.gcs / "objects"

    @property
    def unfinished(self) -> Path:
        """Files that the next GCS server makes objects of: `<bucket>/<object>`."""
        return self.gcs / "unfinished"

    @property
    def bigquery(self) -> Path:
        """The folder of the BigQuery server's data."""
        return self.path / "bigquery"

    @property
    def bigquery_python(self) -> Path:
        """The virtual environment of the BigQuery server, where the project's own Python will not do."""
        return self.path / "python3.13"

    @property
    def password(self) -> Path:
        """The file with the password of the Postgres user."""
        return self.path / "postgres.password"

    def server_lock(self, name: str) -> Path:
        """Locked by the server `name` and its children as long as one of them lives; holds its pid."""
        return self.path / f"{name}.lock"

    def port(self, name: str) -> Path:
        """The file that remembers the port of `name`."""
        return self.path / f"{name}.port"

    def log(self, name: str) -> Path:
        """What `name` has said since its last start."""
        return self.path / f"{name}.log"

    def detached_mark(self, name: str) -> Path:
        """There while `name` stays up although nobody uses it."""
        return self.path / f"{name}.detached"

    def cluster(self, major: int) -> Path:
        """The data directory of Postgres `major`, for example `pg18`."""
        return self.path / f"pg{major}"

    def majors(self) -> list[int]:
        """The major versions of Postgres that data is there of."""
        found = (entry.name.removeprefix("pg") for entry in self.path.glob("pg*"))
        return [int(major) for major in found if major.isdecimal()]

    def create(self) -> None:
        """Makes the folder, out of git's sight; raises FileNotFoundError where there is no project."""
        hidden = self.path.parent
        if not hidden.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "There is no such project folder", str(hidden.parent))
        self.path.mkdir(parents=True, exist_ok=True)
        ignore = hidden / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
