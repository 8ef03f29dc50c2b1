"""The pages are complete and true where no command shows it: options, targets, links, messages, generated parts."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from docs import make_commands, make_picture
from mage_project.cli.guard import FAREWELL_S
from mage_project.project import checking
from mage_project.schedule import due, intervals
from mage_project.web import bodies, server
from tests.docs.pages import GENERATED, PAGES, ROOT, code_blocks

WRITTEN = "\n".join(page.read_text(encoding="utf-8") for page in PAGES if page != GENERATED)
CONTEXTS = make_commands.every_command()
OPTIONS = sorted({option for context in CONTEXTS for parameter in context.command.params for option in parameter.opts})
TARGETS = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_reference_of_commands_is_up_to_date() -> None:
    assert GENERATED.read_text(encoding="utf-8") == make_commands.page(), "run python docs/make_commands.py"


def test_the_picture_is_up_to_date() -> None:
    assert make_picture.PICTURE.read_text(encoding="utf-8") == make_picture.picture(), "run python docs/make_picture.py"


@pytest.mark.parametrize("command", [context.command_path for context in CONTEXTS if context.parent])
def test_a_page_mentions_the_command(command: str) -> None:
    short = command.removeprefix("mage-project ")
    assert command in WRITTEN or f"`{short}" in WRITTEN


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.startswith("--")])
def test_a_page_mentions_the_option(option: str) -> None:
    assert re.search(rf"{option}\b", WRITTEN)


@pytest.mark.parametrize("target", TARGETS)
def test_a_page_mentions_the_target_of_make(target: str) -> None:
    assert f"make {target}" in WRITTEN


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_the_readme_leads_to_every_page_and_every_page_back(page: Path) -> None:
    assert f"](docs/{page.name})" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](../README.md#pages)" in page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_on_the_page_is_code(page: Path) -> None:
    for block in code_blocks(page):
        if block.kind == "python":
            ast.parse(block.text)
        elif block.kind in ("yaml", "json"):
            yaml.safe_load(block.text)


def test_the_json_on_the_page_has_the_keys_of_a_run() -> None:
    from mage_project.runner.records import BlockRecord, RunRecord, TestRecord

    test = TestRecord(name="t", ran=True)
    run = RunRecord(pipeline="p", run_id="r", blocks=[BlockRecord(uuid="b", type="t", tests=[test])])
    [shown] = [yaml.safe_load(block.text) for block in code_blocks(ROOT / "README.md") if block.kind == "json"]
    assert keys(shown) == keys({**run.as_dict(), "blocks": run.as_dict()["blocks"]})


def keys(value: object) -> object:
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items() if key not in ("dropped", "columns", "beside")}
    return [keys(inner) for inner in value] if isinstance(value, list) else None


def test_every_message_of_bad_input_is_one_of_ours() -> None:
    """It stands in the code; or in a test that has seen it, where the code puts it together."""
    folders = ("taxi", "mage_project", *(f"tests/{name}" for name in ("taxi", "io", "pipelines", "cli")))
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    source = re.sub(r'"\s*\n\s*f?"', "", "\n".join(path.read_text(encoding="utf-8") for path in files))
    rows = re.findall(r"^\|[^|]+\|([^|]+)\|", (ROOT / "docs/bad-input.md").read_text(encoding="utf-8"), re.MULTILINE)
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row)]
    assert len(messages) > 40
    assert [message for message in messages if message not in source] == []


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("schedule", f"| {checking.MOST_SECONDS:,}, a year |"),
        ("schedule", f"`--block-run-limit` | 1 to {checking.MOST_AT_ONCE:,} |"),
        ("schedule", f"| {intervals.MOST:,} |"),
        ("schedule", f"| the last {due.MOST:,} |"),
        ("schedule", f"within {FAREWELL_S} seconds"),
        ("triggers", f"| {bodies.LONGEST_BYTES:,} bytes"),
        ("triggers", f"| {server.LONGEST_S:g} seconds, for one request"),
    ],
)
def test_a_limit_on_a_page_is_that_of_the_code(page: str, text: str) -> None:
    assert text in (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
