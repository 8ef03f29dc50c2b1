"""The run of one interval, in a process of its own that ends with the backfill, however the backfill ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mage_project.history import private, starters
from mage_project.schedule.intervals import Interval

#: How long the worker of a killed command may take, and a moment more: see cli/guard.py.
_FAREWELL_S = 125
#: Lines of a run's log that are shown where it could not say by itself what was wrong.
_TAIL = 3


@dataclass(frozen=True, kw_only=True)
class Command:
    """How the runs of a backfill, or of a trigger, are started.

    `name` is that of the file in `logs` for what a run says, where its interval does not tell it from others.
    `words` follow `run PIPELINE`; `environment` is what they get, and `variables` are handed over without being seen.
    """

    pipeline: str
    root: Path
    words: Sequence[str]
    environment: Mapping[str, str]
    logs: Path
    backfill_id: str = ""
    trigger: str = "backfill"
    name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)

    def of(self, interval: Interval) -> list[str]:
        given = {"execution_date": interval.start.isoformat()}
        of_interval = {
            "interval_start_datetime": interval.start.isoformat(),
            "interval_end_datetime": interval.end.isoformat(),
            "interval_seconds": repr(interval.seconds),
            "interval_start_datetime_previous": interval.previous.isoformat(),
        }
        if interval.end > interval.start:  # else it is due at any time, and no interval begins with it
            given |= of_interval
        dates = [word for name, value in given.items() for word in ("--var", f"{name}={value}")]
        run = [sys.executable, "-m", "mage_project", "run", self.pipeline, "--project", str(self.root)]
        return [*run, *self.words, *dates]


class Child:
    """A run that goes on. `rows` and `block` are what it told last, `record` what it ended with."""

    def __init__(self, command: Command, interval: Interval) -> None:
        self.interval = interval
        self.run_id: str | None = None
        self.rows: int | None = None
        self.block = ""
        self.record: Mapping[str, Any] | None = None
        self.log = command.logs / f"{command.name or interval.name.replace(':', '')}.log"
        self._buffer = b""
        self._is_silent = False
        self._gone_at: float | None = None
        self.socket, theirs = socket.socketpair()
        self.socket.setblocking(False)
        environment = {
            **command.environment,
            starters.EVENTS: str(theirs.fileno()),
            starters.TRIGGER: command.trigger,
            starters.TELLS: "1",
            **({starters.BACKFILL: command.backfill_id} if command.backfill_id else {}),
        }
        with theirs, private.file(self.log).open("ab") as log, starters.handed_over(command.variables) as variables:
            # In a session of its own: Ctrl-C reaches the backfill only, which tells its runs.
            self._process = subprocess.Popen(
                command.of(interval),
                env={**environment, starters.VARIABLES: str(variables)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno(), variables],
                start_new_session=True,
            )

    def hear(self) -> None:
        """Take in what the run has told since the last time."""
        try:
            while received := self.socket.recv(65_536):
                self._buffer += received
            self._is_silent = True
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self._is_silent = True
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            with suppress(ValueError):  # a block has written there
                self._take(json.loads(line))

    def _take(self, event: Mapping[str, Any]) -> None:
        self.run_id = event.get("run_id", self.run_id)
        self.block = event.get("block", self.block)
        self.rows = event.get("rows", self.rows)
        self.record = event.get("run", self.record)

    def exit_code(self) -> int | None:
        """How it ended (128 + n for signal n), None while it goes on.

        A command that is killed leaves its worker behind, which rolls back, or finishes its commit: until nobody holds
        the socket any more, the run goes on.
        """
        code = self._process.poll()
        if code is None or code >= 0:
            return code
        self._gone_at = self._gone_at or time.monotonic()
        goes_on = not self._is_silent and time.monotonic() - self._gone_at < _FAREWELL_S
        return None if goes_on else 128 - code

    @property
    def was_killed(self) -> bool:
        """Whether it ended without having failed, or been told to stop: killed, short of memory, a library crashed."""
        return self.status == "crashed" or (self.status != "completed" and self._is_killed)

    @property
    def _is_killed(self) -> bool:
        return self._process.poll() in (-signal.SIGKILL, 128 + signal.SIGKILL)  # the command, or its worker

    @property
    def status(self) -> str:
        """How the run says that it ended; one that could not say so has crashed, or never begun."""
        is_crash = self.run_id is not None or self._is_killed
        return str((self.record or {}).get("status") or ("crashed" if is_crash else "failed"))

    def stop(self) -> None:
        """Ask it to roll back, or to finish the commit that has begun."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        self.hear()
        self.socket.close()

    def last_words(self) -> str:
        """The end of the log, for a run that ended without a record."""
        with suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            return "\n".join(line for line in lines[-_TAIL:] if line) or "it said nothing"
        return "it said nothing"
