"""Columns that are called otherwise than the rules call them: `VendorID` for `vendor_id`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pyarrow as pa

from mage_project.quality.results import CheckResult
from mage_project.quality.rules import Rule


class Naming:
    """Gives columns the names that rules have for them, where one column only differs in case and underscores."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._exact: set[str] = set()
        self._in_sql: set[str] = set()
        for rule in rules:
            self._exact |= {*rule.columns, *rule.needs}
            self._in_sql |= set(re.findall(r"\w+", f"{rule.where or ''} {rule.sql or ''}"))
        #: What has been renamed: by the name in the rules, the one in the data.
        self.renamed: dict[str, str] = {}

    def of(self, table: pa.Table) -> pa.Table:
        """The table, its columns called as the rules have them."""
        found = self._found(table.column_names)
        self.renamed |= {wanted: there for there, wanted in found.items()}
        return table.rename_columns([found.get(name, name) for name in table.column_names]) if found else table

    def rules_of(self, rules: Iterable[Rule]) -> list[Rule]:
        """The rules, about the columns as they are called in the data."""
        return [replace(rule, columns=tuple(self.renamed.get(name, name) for name in rule.columns)) for rule in rules]

    def results_of(self, results: Iterable[CheckResult]) -> list[CheckResult]:
        """The results, about the columns as they are called in the data."""
        return [replace(result, column=self.renamed.get(result.column or "", result.column)) for result in results]

    def _found(self, names: Sequence[str]) -> dict[str, str]:
        """By the name in the data, the one in the rules. SQL finds a column whatever its case."""
        lower = {name.lower() for name in names}
        wanted = {name for name in self._exact if name not in names}
        wanted |= {name for name in self._in_sql if name.lower() not in lower} - self._exact
        columns = Counter(_key(name) for name in names)
        asked = Counter(_key(name) for name in {*wanted, *(self._exact & set(names))})
        by_key = {_key(name): name for name in wanted if columns[_key(name)] == 1 and asked[_key(name)] == 1}
        return {name: by_key[_key(name)] for name in names if _key(name) in by_key}


def _key(name: str) -> str:
    return name.replace("_", "").lower()
