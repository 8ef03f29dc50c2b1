"""A folder of taxi files that answers for all that the projects ask for."""

from __future__ import annotations

import gzip
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

#: The names of the releases and of TLC's own files.
MONTH = re.compile(
    r"(?P<service>[a-z]+)_tripdata_(?P<year>20\d\d)-(?P<month>0[1-9]|1[0-2])\.(?P<form>csv|csv\.gz|parquet)"
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The file, and what is to be said of it where it is not the one that was asked for."""

    path: Path
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class Month:
    """One month of a service, as it is named. `number` counts months."""

    service: str
    number: int
    form: str

    @classmethod
    def named(cls, name: str) -> Month | None:
        found = MONTH.fullmatch(name)
        if not found:
            return None
        return cls(service=found["service"], number=int(found["year"]) * 12 + int(found["month"]), form=found["form"])


class TaxiFiles:
    """The files below `folder`, by name. Those that have to be converted are made in `made`."""

    def __init__(self, folder: Path, made: Path) -> None:
        self._files = {_plain(path.name): path for path in sorted(folder.rglob("*")) if path.is_file()}
        self._made = made

    def answer(self, name: str) -> Answer | None:
        """The file of this name, else another month of its service, in the form that the name asks for.

        None where no file is of the kind, and for names that no month has.
        """
        if path := self._files.get(_plain(name)):
            return Answer(path=path)
        asked = Month.named(name)
        nearest = asked and self._nearest(asked)
        if not asked or not nearest:
            return None
        return Answer(path=self._in_form(nearest, asked.form), note=f"{name} was answered with {nearest.name}")

    def object(self, key: str) -> Answer | None:
        """What an object of this key would hold, as far as its name says: a service (else yellow) and a format."""
        form = key.rpartition("/")[2].partition(".")[2]
        named = re.search(r"[a-z]+_tripdata_20\d\d-\d\d\.[a-z.]+$", key)
        if named and (found := self.answer(named[0])):
            return _put(key, found)
        service = re.search("green|yellow|fhv", key, re.IGNORECASE)
        if form not in ("csv", "csv.gz", "parquet") or not (service or "taxi" in key.lower()):
            return None
        found = self.answer(f"{service[0].lower() if service else 'yellow'}_tripdata_2021-01.{form}")
        return found and _put(key, found)

    def _nearest(self, asked: Month) -> Path | None:
        def distance(path: Path) -> tuple[bool, bool, int]:
            month = Month.named(path.name)
            assert month
            return (
                month.number != asked.number,
                _kind(month.form) != _kind(asked.form),
                abs(month.number - asked.number),
            )

        months = {path: Month.named(path.name) for path in self._files.values()}
        return min(
            (path for path, month in months.items() if month and month.service == asked.service),
            key=distance,
            default=None,
        )

    def _in_form(self, path: Path, form: str) -> Path:
        """The file itself, or its rows in another form; made once."""
        month = Month.named(path.name)
        assert month
        if month.form == form:
            return path
        made = self._made / f"{path.name.partition('.')[0]}.{form}"
        if not made.exists():
            _convert(path, made)
        return made


def _put(key: str, found: Answer) -> Answer:
    told = f"{key} was put into its bucket"
    return Answer(path=found.path, note=f"{told}: {found.note}" if found.note else told)


def _convert(path: Path, made: Path) -> None:
    partial = made.with_name(f"partial.{made.name}")
    if made.name.endswith("parquet"):
        pq.write_table(_typed(pacsv.read_csv(path)), partial)
    elif path.name.endswith("parquet"):
        _write_csv(pq.read_table(path), partial)
    else:
        with _opened(path, "rb") as source, _opened(partial, "wb") as target:
            shutil.copyfileobj(source, target)
    partial.rename(made)


def _typed(table: pa.Table) -> pa.Table:
    """Microseconds, and numbers for columns in which nothing was ever told, as TLC has it."""
    kinds = {pa.timestamp("s"): pa.timestamp("us"), pa.null(): pa.float64()}
    return table.cast(pa.schema([field.with_type(kinds.get(field.type, field.type)) for field in table.schema]))


def _write_csv(table: pa.Table, path: Path) -> None:
    """As the releases have it: whole seconds, nothing for null."""
    fields = [
        field.with_type(pa.timestamp("s")) if pa.types.is_timestamp(field.type) else field for field in table.schema
    ]
    with _opened(path, "wb") as target:
        pacsv.write_csv(table.cast(pa.schema(fields), safe=False), target, pacsv.WriteOptions(quoting_style="none"))


def _opened(path: Path, mode: str):  # type: ignore[no-untyped-def]
    return (
        gzip.open(path, mode, **({"compresslevel": 1} if "w" in mode else {}))
        if path.name.endswith("gz")
        else path.open(mode)
    )


def _kind(form: str) -> str:
    return form.partition(".")[0]


def _plain(name: str) -> str:
    """The zone lookup is served with a plus in its name, and mirrored without."""
    return name.replace("%2B", "").replace("+", "")
