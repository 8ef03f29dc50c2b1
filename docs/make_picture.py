"""Draws docs/run.svg, the run that README.md has as text: `python docs/make_picture.py`."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
PICTURE = HERE / "run.svg"
COMMAND = "mage-project run green_taxi_etl"


def run_as_text() -> str:
    """The run, as README.md has it."""
    readme = (HERE.parent / "README.md").read_text(encoding="utf-8")
    [text] = re.findall(r"^```text\n(run \w+-\w+ of .*?)^```$", readme, re.MULTILINE | re.DOTALL)
    return str(text)


def picture() -> str:
    """The SVG: what stays in a terminal of that run."""
    shown = run_as_text().partition("\n\n")[2].rstrip()
    text = Text(f"$ {COMMAND}\n\n{shown}")
    text.highlight_regex(r"(?m)^\$ .*$", "bold")
    text.highlight_regex(r"✓", "green")
    text.highlight_regex(r"(?m)^(  block .*|dropped by .*| +rows .*|tests of .*)$", "bright_black")
    text.highlight_regex(r"(?m)^✓ \w+ completed.*$", "bold green")
    console = Console(record=True, width=max(map(len, text.plain.splitlines())), file=io.StringIO())
    console.print(text, soft_wrap=True)
    return console.export_svg(title="mage-project", unique_id="run")


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
