"""What checks have warned of: also for those who have nobody to tell, and need no channel for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def check_warnings(blocks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What checks have warned of, a line each."""
    for block in blocks:
        for check in block["checks"]:
            if not check["passed"] and check["severity"] == "warn":
                rows = "" if check["failing"] is None else f": {check['failing']:,} of {check['rows']:,} rows"
                yield f"{block['uuid']}: {check['message'] or check['name'] + rows}"
        yield from check_warnings(block["children"] or ())
