"""Parts of pyarrow that nobody imported."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from mage_project.standins import arrow_parts

with arrow_parts.reachable():
    import pyarrow as pa

    assert "pyarrow.fs" not in sys.modules
    print(pa.fs.LocalFileSystem.__name__, pa.parquet.write_table.__name__, hasattr(pa, "nonsense"))
print(hasattr(pa, "csv"))
"""


def test_they_are_imported_when_they_are_asked_for_while_a_run_lasts() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["LocalFileSystem write_table False", "False"], done.stderr
