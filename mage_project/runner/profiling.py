"""`--profile`: py-spy looks at the process of a run a hundred times a second, and draws what its threads did.

It reads the process from outside and does not stop it, so blocks run as they do without it.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import IO, Self

from mage_project.history import private

#: Linux: who may look into this process, where only some may (prctl(2), PR_SET_PTRACER).
_PR_SET_PTRACER = 0x59616D61
_RATE = 100
#: How long the run waits for py-spy to begin, and for it to draw.
_BEGINS_S, _DRAWS_S = 5.0, 30.0
_LOOK_S = 0.01
#: How often the names of threads are noted.
_NAMES_S = 0.1
_BEGAN, _DREW = "py-spy> Sampling", "py-spy> Wrote"
#: What to do where looking is refused.
_ALLOWED = "In a container, start it with --cap-add SYS_PTRACE; else run the command as root"


@dataclass(frozen=True, kw_only=True)
class Profiling:
    """That a run is profiled. `file`: where the flame graph goes; None: to those of the project's other runs."""

    file: Path | None = None

    def path(self, root: Path, run_id: str) -> Path:
        return self.file or root / ".mage_project" / "profiles" / f"{run_id}.svg"


@contextmanager
def profiled(path: Path, said: Callable[[str], None]) -> Iterator[None]:
    """Inside, this process is profiled; then the flame graph is in `path`, an SVG, and `said` is told so.

    Raises nothing of its own: where there can be no profile, `said` is told why.
    """
    spy = _begun(path, said)
    if spy is None:
        yield
        return
    try:
        with _Names() as names:
            yield
        said(_drawn(spy, names, path))
    finally:
        spy.close()


class Spy:
    """py-spy at one process."""

    def __init__(self, program: str, pid: int, path: Path) -> None:
        options = ["--threads", "--nonblocking", "--rate", str(_RATE), "--format", "flamegraph", "--output", str(path)]
        # A file: nobody reads while the run goes on, and a pipe could fill.
        self._told: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        try:
            self._process = subprocess.Popen(
                [program, "record", "--pid", str(pid), *options],
                stdin=subprocess.DEVNULL,
                stdout=self._told,
                stderr=self._told,
            )
        except BaseException:
            self._told.close()
            raise

    def wait_until_it_looks(self) -> None:
        until = time.monotonic() + _BEGINS_S
        while _BEGAN not in self._text and self._process.poll() is None and time.monotonic() < until:
            time.sleep(_LOOK_S)

    @property
    def looks(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """Have it draw what it has seen."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(_DRAWS_S)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def close(self) -> None:
        """However the run ended, it is gone."""
        self._process.kill()
        self._process.wait()
        self._told.close()

    @property
    def drew(self) -> bool:
        return _DREW in self._text

    @property
    def trouble(self) -> str:
        """Why there is no profile, and what to do."""
        text = self._text
        refused = "permission denied" in text.lower() or "not permitted" in text
        if refused and _BEGAN not in text:
            return f"this user may not look into the process (ptrace). {_ALLOWED}"
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("py-spy>")]
        return f"py-spy: {lines[0].removeprefix('Error: ')}" if lines else f"py-spy did not end within {_DRAWS_S:g} s"

    @property
    def _text(self) -> str:
        size = os.fstat(self._told.fileno()).st_size  # py-spy writes at the place that is shared: it is not moved
        return os.pread(self._told.fileno(), size, 0).decode(errors="replace")


def _drawn(spy: Spy, names: _Names, path: Path) -> str:
    """Have py-spy draw; the line that says where, or why not."""
    spy.end()
    if not spy.drew:
        return _without(spy.trouble)
    try:
        names.add_to(path)
    except OSError as error:
        return _without(str(error))
    return f"profile: {_short(path)}"


class _Names:
    """The names of this process's threads. py-spy misses that of a thread that it sees before the thread is set up."""

    def __init__(self) -> None:
        self._of: dict[int, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="profile", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()

    def _look(self) -> None:
        while not self._over.wait(_NAMES_S):
            self._of |= {each.native_id: each.name for each in threading.enumerate() if each.native_id}

    def add_to(self, path: Path) -> None:
        def named(found: re.Match[str]) -> str:
            name = self._of.get(int(found[1]))
            return f"{found[0]}: {escape(name)}" if name else found[0]

        drawn = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"\bthread \((\d+)\)(?!:)", named, drawn), encoding="utf-8")


def _begun(path: Path, said: Callable[[str], None]) -> Spy | None:
    """py-spy, which looks already; or None, when it was told why not."""
    program = shutil.which("py-spy", path=sysconfig.get_path("scripts")) or shutil.which("py-spy")
    if program is None:
        said(_without("py-spy is not installed: pip install 'mage-project[profile]'"))
        return None
    _allow_children_to_look()
    try:
        _place(path)
        spy = Spy(program, os.getpid(), path)
    except OSError as error:
        said(_without(str(error)))
        return None
    try:
        spy.wait_until_it_looks()
        if spy.looks:
            return spy
        said(_without(spy.trouble))
    except BaseException:
        spy.close()
        raise
    spy.close()
    return None


def _place(path: Path) -> None:
    """Make what the flame graph is written to, where it is the project's, and the folder."""
    if private.TOP in path.parts:
        private.folder(path.parent)
        private.file(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)


def _allow_children_to_look() -> None:
    """Where a process may only look into its own children (Linux with yama), let ours look into this one."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    prctl(_PR_SET_PTRACER, os.getpid(), 0, 0, 0)  # fails where there is no such rule, and none is needed


def _without(why: str) -> str:
    return f"warning: there is no profile of this run: {why}"


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
