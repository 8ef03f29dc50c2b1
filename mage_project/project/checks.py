"""The checks that a pipeline's metadata.yaml declares beside a block: `configuration: checks:`."""

from __future__ import annotations

from pathlib import Path

from mage_project.project.checking import Checker
from mage_project.project.document import Mapping
from mage_project.project.model import Block
from mage_project.project.rule_files import rules_in_files
from mage_project.project.rule_references import look_for_references
from mage_project.quality.reading import read_rules
from mage_project.quality.rules import Rule

#: Blocks that have rows: what they return or, for an exporter, what they are given.
_WITH_ROWS = ("custom", "data_exporter", "data_loader", "transformer")


def rules_of(block: Block, configuration: Mapping, root: Path, checker: Checker) -> tuple[Rule, ...]:
    """The rules under `checks:`; what is wrong in them goes to the checker."""
    line = configuration.line_of("checks")
    content = configuration["checks"]
    in_files = isinstance(content, str) and content.endswith((".yaml", ".yml"))
    rules, flaws = (rules_in_files(content, root, checker, line), []) if in_files else read_rules(content, line)
    for flaw in flaws:
        checker.error(f"block '{block.uuid}': {flaw.message}", flaw.line, hint=flaw.hint)
    if not in_files:
        look_for_references(rules, root, checker)
    if rules and block.language != "python":
        what = f"block '{block.uuid}' is written in {block.language}: its rows are not here, so no checks are made"
        checker.error(what, line, hint="check its table: mage-project check --data schema.table --rules FILE.yaml")
    elif rules and block.type not in _WITH_ROWS:
        checker.error(
            f"block '{block.uuid}' is a {block.type}: it has no rows to check", line, hint="take `checks` off"
        )
    return tuple(rules)
