"""mage_ai.shared.logger: blocks of code that say when they begin and end."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from enum import StrEnum
from typing import Any

logger = logging.getLogger(__name__)


class LoggingLevel(StrEnum):
    """The levels of a log."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"

    @classmethod
    def is_valid_level(cls, level: str) -> bool:
        """Whether it is the name of one, in any case."""
        return level.upper() in cls.__members__


class timer:
    """Notes in the log how long its block took, in milliseconds."""

    def __init__(self, metric: str, tags: Mapping[str, Any] | None = None, verbose: bool = True) -> None:
        self.metric, self.tags, self.verbose = metric, dict(tags or {}), verbose
        self.start: float | None = None

    def __enter__(self) -> None:
        self.start = time.monotonic()

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        took_ms = int((time.monotonic() - (self.start or 0)) * 1000)
        if self.verbose:
            logger.debug("[time] metric: %s, value: %dms, tags: %s", self.metric, took_ms, self.tags)


class VerboseFunctionExec:
    """Prints a message, and DONE or FAILED behind it."""

    def __init__(self, message: str, prefix: str = "", verbose: bool = True) -> None:
        self.message, self.prefix, self.verbose = message, prefix, verbose

    def __enter__(self) -> None:
        if self.verbose:
            print(f"{self.prefix} {self.message}...", end="")

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if self.verbose:
            print(f"{self.prefix} {'DONE' if kind is None else 'FAILED'}")


class BlockFunctionExec:
    """As VerboseFunctionExec, to the stream that `build_block_output_stdout` makes; without it nothing is printed."""

    def __init__(
        self, block_uuid: str, message: str, build_block_output_stdout: Callable[..., Any] | None = None
    ) -> None:
        self.block_uuid, self.message, self._stream = block_uuid, message, build_block_output_stdout

    def __enter__(self) -> None:
        if self._stream is not None:
            with redirect_stdout(self._stream(self.block_uuid)):
                print(self.message)

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        if self._stream is not None:
            with redirect_stdout(self._stream(self.block_uuid, execution_state="idle")):
                print("DONE")


class VerbosePrintHandler:
    """Prints what is done step by step, as connectors do."""

    def __init__(self, start_msg: str, verbose: bool = False) -> None:
        self.verbose = verbose
        self.exists_previous_message = False
        if verbose:
            print(start_msg)

    @contextmanager
    def print_msg(self, msg: str) -> Iterator[str]:
        """Prints the message before its block, and DONE after it."""
        if self.verbose:
            print(f"{'├─ ' if self.exists_previous_message else ''}└─ {msg}...", end="")
        yield msg
        if self.verbose:
            print("DONE")
            self.exists_previous_message = True
