"""The datasets that a BigQuery statement writes to."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PART = r"(?:`[^`]+`|[\w-]+)"
_NAME = rf"(?P<name>{_PART}(?:\s*\.\s*{_PART})*)"
_KINDS = (
    r"(?:TEMP(?:ORARY)?\s+|SNAPSHOT\s+|MATERIALIZED\s+|EXTERNAL\s+)?"
    r"(?:TABLE\s+FUNCTION|TABLE|VIEW|FUNCTION|PROCEDURE)"
)
_CREATES = rf"CREATE\s+(?:OR\s+REPLACE\s+)?{_KINDS}\s+(?:IF\s+NOT\s+EXISTS\s+)?"
_INSERTS = r"(?:INSERT|MERGE)\s+(?:INTO\s+)?"
_WRITES = re.compile(rf"\b(?:{_CREATES}|{_INSERTS}){_NAME}", re.IGNORECASE)
#: Comments and texts, in which words mean nothing.
_SILENT = re.compile(r"""--[^\n]*|\#[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)


def written(sql: str, project: str) -> Iterator[tuple[str, str]]:
    """(project, dataset) of the tables that are created, inserted into or merged into; `project` where none is named.

    https://cloud.google.com/bigquery/docs/reference/standard-sql/data-definition-language
    """
    for found in _WRITES.finditer(_SILENT.sub(" ", sql)):
        parts = re.sub(r"[`\s]", "", found["name"]).split(".")
        if len(parts) == 2:
            yield project, parts[0]
        elif len(parts) == 3:
            yield parts[0], parts[1]
