"""What was seen in a case by "mage" and by "ours", compared."""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.conformance.differences import Difference
from tests.conformance.runners import Seen


def check_same(seen: Mapping[str, Mapping[str, Seen]], uuid: str) -> None:
    mage, ours = seen["mage"][uuid], seen["ours"][uuid]
    assert ours.lines == mage.lines
    assert (ours.outcome == "done") is (mage.outcome == "done"), f"Mage: {mage.outcome}\nours: {ours.outcome}"


def check_different(seen: Mapping[str, Mapping[str, Seen]], difference: Difference) -> None:
    for name, expected in (("mage", difference.in_mage), ("ours", difference.here)):
        found = seen[name][difference.case.uuid]
        if isinstance(expected, str):
            assert expected in found.outcome
        else:
            assert (found.outcome, found.lines) == ("done", [json.dumps(line) for line in expected])
