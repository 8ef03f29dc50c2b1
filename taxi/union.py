"""The columns of several months together."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from taxi.columns import Columns, Service
from taxi.layout import Layout
from taxi.words import CORRECT, quoted


def columns_of_all(layouts: Sequence[tuple[str, Layout]], service: Service) -> Columns:
    """What any of the files gives, the declared columns first, in their order. Each layout has its file's label.

    Undeclared columns whose names differ only by case are one, spelled as in the first file that has it. Raises
    ValueError where an undeclared column has types in two files that no common type holds.
    """
    given = [layout.gives for _, layout in layouts]
    declared = {
        column.name: column.kind for column in service.columns if any(column.name in columns for columns in given)
    }
    names: dict[str, str] = {}
    others: Columns = {}
    for label, layout in layouts:
        for name, kind in layout.gives.items():
            if name not in declared:
                first = names.setdefault(name.casefold(), name)
                others[first] = _common(others.get(first, kind), kind, first, label)
    return declared | others


def _common(one: pa.DataType, other: pa.DataType, name: str, label: str) -> pa.DataType:
    schemas = [pa.schema([pa.field("it", kind)]) for kind in (one, other)]
    try:
        return pa.unify_schemas(schemas, promote_options="permissive").field("it").type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        raise ValueError(
            f"{label}, column {quoted(name)}: it is {other} here and {one} in another month: load the months "
            f"one by one, or leave it out with contract: {{unknown: discard}}. {CORRECT}"
        ) from None
