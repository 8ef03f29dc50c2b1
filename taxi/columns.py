"""What a declared column is: its type, the months whose files have it, and the other names it had.

Codes and counts are nullable 32-bit integers (as the ids are in TLC's Parquet since 2023-02), amounts are doubles in
dollars, distances doubles in miles, times are New York wall time without a zone. A column keeps its type in every
month, also where it is empty. The columns of each service are in taxi/services.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

CODE = COUNT = SECONDS = pa.int32()
DOLLARS = MILES = DEGREES = pa.float64()
WALL_TIME = pa.timestamp("us")
FLAG = TEXT = pa.string()

#: Names and types, in the order of the columns.
Columns = dict[str, pa.DataType]

#: The first and the last month whose files have a column; None: no such bound.
Months = tuple[str | None, str | None]

CSV_GZ, CSV, PARQUET = "csv.gz", "csv", "parquet"
FORMATS = (CSV_GZ, CSV, PARQUET)
NEVER: Months = ("9999-12", None)


def key_of(name: str) -> str:
    """What spellings of a declared name have in common: VendorID, vendor_id and ` vendorid` are one."""
    return name.strip().casefold().replace("_", "")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a service, spelled as TLC spells it now.

    `since` and `until` are for TLC's Parquet, and for the older CSVs too where `csv` does not say otherwise. Names
    and aliases are found whatever their case, their underscores and the blanks around them. `early_text`: the files
    up to 2010-12 may have text here. What such text means as a code is in `codes`, by its text in lower case; the
    column that keeps the text itself says of which one it is by `text_of`.
    """

    name: str
    kind: pa.DataType
    since: str | None = None
    until: str | None = None
    csv: Months | None = None
    aliases: tuple[str, ...] = ()
    early_text: bool = False
    codes: tuple[tuple[str, int], ...] = ()
    text_of: str | None = None

    def in_force(self, month: str, file_format: str) -> bool:
        """Whether the files of `month` (YYYY-MM) in that format have the column."""
        first, last = (self.since, self.until) if file_format == PARQUET or self.csv is None else self.csv
        return (first or month) <= month <= (last or month)


@dataclass(frozen=True, kw_only=True)
class Service:
    """A kind of trips: its columns in the order in which they are loaded. `dictionary` is TLC's page about them."""

    name: str
    pickup: str
    dictionary: str
    columns: tuple[Column, ...]

    def names(self) -> dict[str, Column]:
        """The columns that a file can have, by the `key_of` their names and aliases."""
        own = [column for column in self.columns if column.text_of is None]
        aliases = {key_of(alias): column for column in own for alias in column.aliases}
        return aliases | {key_of(column.name): column for column in own}

    def text_column(self, column: Column) -> Column | None:
        """The column that keeps the text of the coded `column`."""
        return next((other for other in self.columns if other.text_of == column.name), None)
