"""The graph of a pipeline, with what is asked before its blocks and called after them."""

from __future__ import annotations

import yaml

from mage_project.cli.drawing import as_mermaid, as_text
from mage_project.project import Project
from tests.projects import block, write_pipeline

FILES = {"data_loaders/a.py", "transformers/b.py", "conditionals/is_monday.py", "callbacks/tell.py"}


def pipeline(root):
    for file in FILES:
        (root / file).parent.mkdir()
        (root / file).touch()
    content = {
        "blocks": [block("a", "data_loader"), block("b", "transformer", "a")],
        "conditionals": [block("is_monday", "conditional", "b")],
        "callbacks": [block("tell", "callback", "a", "b")],
    }
    write_pipeline(root, yaml.safe_dump(content))
    return Project(root).pipeline("p")


def test_conditions_and_callbacks_stand_beside_their_blocks(tmp_path):
    assert as_text(pipeline(tmp_path)).splitlines() == [
        "  a  (data_loader)  ! tell",
        "  b  (transformer)  ← a  ? is_monday  ! tell",
    ]


def test_conditions_and_callbacks_have_dotted_arrows(tmp_path):
    assert as_mermaid(pipeline(tmp_path)).splitlines()[4:] == [
        '    q0{{"is_monday<br/><i>conditional</i>"}}',
        '    c0(["tell<br/><i>callback</i>"])',
        "    b0 -.-> c0",
        "    q0 -.-> b1",
        "    b1 -.-> c0",
    ]
