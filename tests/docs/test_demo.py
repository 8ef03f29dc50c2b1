"""The first command of a newcomer, with nothing there yet."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, commands
from tests.docs.terminal import Terminal, compare


@pytest.mark.slow
def test_make_demo_works_in_a_fresh_clone(clone: Path, record_property: Callable[[str, object], None]) -> None:
    shutil.rmtree(clone / ".venv")
    [demo] = [command for command in commands(ROOT / "README.md") if command.text == "make demo"]
    fresh = Terminal(clone)
    started = time.perf_counter()
    try:
        said, code = fresh.type(demo.text)
    finally:
        fresh.close()
        shutil.rmtree(clone / ".venv", ignore_errors=True)  # 400 MB that pytest would keep for three sessions
    if code and "connection broken by" in said:
        pytest.skip("the package registry cannot be reached")
    assert code == 0, said
    compare(demo, said)
    [run_s] = re.findall(r"completed in ([\d.]+) s", said)
    record_property("seconds", round(time.perf_counter() - started, 1))
    record_property("run_seconds", float(run_s))
