"""About 40,000 trips of one month, with the columns that are wanted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pyarrow as pa

from taxi.codes import codes_of
from taxi.columns import Columns
from taxi.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows as they were read, by column; `refused` counts by column what did not fit its type and became null."""

    read: pa.Table
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return int(self.read.num_rows)


def arranged(batch: Batch, layout: Layout, wanted: Columns) -> pa.Table:
    """The rows with the columns that are `wanted`, found whatever their case, and null where the file has none."""
    columns = {name.casefold(): batch.read[name] for name in layout.reads}
    for name, column in layout.texts.items():
        texts = batch.read[name].combine_chunks()
        columns[name.casefold()] = codes_of(texts, column.codes)
        columns[layout.text_names[name]] = texts
    return pa.table(
        {
            name: columns[key].cast(kind) if (key := name.casefold()) in columns else pa.nulls(batch.rows, kind)
            for name, kind in wanted.items()
        }
    )
