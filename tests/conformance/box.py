"""Where the commands of the suite run: they leave nothing behind and reach no other machine."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

REPOSITORY = Path(__file__).parents[2]
#: On the import path of every Python in the box.
INSIDE = Path(__file__).parent / "inside"
#: Variables that would lead a command to other stores, projects or settings than those of its test.
LEADING = ("CLOUD_STORAGE_", "GOOGLE_", "MAGE_", "PG", "POSTGRES_", "PYTHON", "STORAGE_", "TAXI_")
#: Leads our commands to the checkout that this file lies in, wherever the one is that was installed to be edited.
THIS_CHECKOUT = {"PYTHONPATH": f"{INSIDE}{os.pathsep}{REPOSITORY}"}
MARK = "CONFORMANCE_BOX"
NOT_LONGER_S = 240


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended; what it printed, and what it printed on standard error."""

    exit_code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


@dataclass(kw_only=True)
class Box:
    """A HOME and a folder for temporary files, below `folder`. `stores` are the variables that lead to the stores."""

    folder: Path
    stores: Mapping[str, str] = field(repr=False)
    mark: str = field(default_factory=lambda: secrets.token_hex(8))

    def __post_init__(self) -> None:
        for name in ("home", "tmp", "work"):
            (self.folder / name).mkdir()

    def run(self, *command: str | Path, env: Mapping[str, str] = MappingProxyType({})) -> Ended:
        """Run the command to its end, with `env` on top of the box's own.

        It leaves no process, and tries nothing that inside/sitecustomize.py refuses.
        """
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.folder / "work",
            env={**self.env, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=NOT_LONGER_S,
        )
        assert not self.refused
        assert not self.processes
        return Ended(exit_code=done.returncode, out=done.stdout, err=done.stderr)

    @property
    def env(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(LEADING)}
        return {
            **clean,
            **self.stores,
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "PYTHONPATH": str(INSIDE),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CONFORMANCE_REFUSED": str(self.folder / "refused"),
            "CONFORMANCE_REPOSITORY": str(REPOSITORY),
            MARK: self.mark,
        }

    @property
    def refused(self) -> str:
        """What was tried that has no place in a test."""
        notes = self.folder / "refused"
        return notes.read_text() if notes.exists() else ""

    @property
    def processes(self) -> Sequence[int]:
        """The living processes that commands have left; Linux only, elsewhere none."""
        return [int(process.name) for process in Path("/proc").glob("[0-9]*") if self._is_ours(process)]

    def _is_ours(self, process: Path) -> bool:
        try:
            return f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes()
        except OSError:  # gone, or of another user
            return False
