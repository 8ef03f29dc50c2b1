"""The files that keep outputs: Arrow's for frames, with the types they had, and pickles of plain data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project.history import private
from mage_project.runner import values
from mage_project.runner.spilling import as_frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Rows of each output that are kept at most.
KEPT_ROWS = 50_000
#: In the description of a file: that missing texts were NaN.
_NAN = b"nan"
#: And which of its columns had a type of Arrow's, and which were of Python's objects: pandas takes the texts in both
#: for its own.
_ARROW, _OBJECTS = b"arrow", b"objects"


def write(folder: Path, name: str, value: Any) -> bool:
    """Whether what is read again is what was written."""
    if values.is_frame(value):
        import pyarrow as pa

        try:
            head = value.head(KEPT_ROWS)
            table = pa.Table.from_pandas(head, preserve_index=False)
        except (pa.ArrowException, ValueError, TypeError):
            return False  # columns that no file format holds
        missing = _missing_texts(head, table)
        said = {**_places(head), **({_NAN: b"true"} if missing == {float} else {})}
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), **said})
        with (
            pa.OSFile(str(private.file(folder / f"{name}.arrow")), "wb") as sink,
            pa.ipc.new_file(sink, table.schema) as writer,
        ):
            writer.write_table(table)
        return _is_exact(head, table) and missing in (set(), {float}, {type(None)})
    if (values.rows(value) or 0) > KEPT_ROWS:
        return False
    import pickle

    try:
        json.dumps(value)  # what JSON holds is plain, and small enough
        content = pickle.dumps(value)  # JSON makes a list of a tuple, and a text of a number that is a key
    except (TypeError, ValueError, AttributeError, RecursionError, pickle.PicklingError):
        return False
    private.file(folder / f"{name}.pickle").write_bytes(content)
    return True


def _is_exact(frame: pd.DataFrame, table: pa.Table) -> bool:
    """Whether the file holds the frame as it is: its index is not kept, and of Python objects only texts are sure."""
    import pandas as pd
    import pyarrow as pa

    counted = isinstance(frame.index, pd.RangeIndex) and (frame.index.start, frame.index.step) == (0, 1)
    if not counted or frame.index.name is not None or not all(type(name) is str for name in frame.columns):
        return False
    objects = [table.columns[place] for place, dtype in enumerate(frame.dtypes) if _is_object(dtype)]
    return all(pa.types.is_string(column.type) for column in objects)


def _is_object(dtype: Any) -> bool:
    """Whether its values are Python's: Arrow's own types come back as they were."""
    return dtype.kind == "O" and not hasattr(dtype, "pyarrow_dtype")


def _places(frame: pd.DataFrame) -> dict[bytes, bytes]:
    """Of the columns whose types pandas would take for its own."""
    dtypes = list(enumerate(frame.dtypes))
    of_arrow = [place for place, dtype in dtypes if hasattr(dtype, "pyarrow_dtype")]
    objects = [place for place, dtype in dtypes if dtype.name == "object"]
    return {_ARROW: json.dumps(of_arrow).encode(), _OBJECTS: json.dumps(objects).encode()}


def _missing_texts(frame: pd.DataFrame, table: pa.Table) -> set[type]:
    """What stands for missing texts in columns of Python objects: None, or the NaN of older pandas."""
    columns = [frame.iloc[:, place] for place, column in enumerate(table.columns) if column.null_count]
    return {type(value) for column in columns if _is_object(column.dtype) for value in column[column.isna()]}


def read_plain(path: Path) -> Any:
    import pickle

    return pickle.loads(path.read_bytes())  # noqa: S301 - who can write there can write the blocks


def read_frame(path: Path) -> Any:
    """The frame with the types it had: Arrow's file keeps pandas' own description of them."""
    import pandas as pd
    import pyarrow as pa

    with pa.OSFile(str(path), "rb") as source:
        table = pa.ipc.open_file(source).read_all()
    said = table.schema.metadata or {}
    of_arrow = json.loads(said.get(_ARROW, b"[]"))
    dtypes = [pd.ArrowDtype(type_) if place in of_arrow else None for place, type_ in enumerate(table.schema.types)]
    frame: Any = as_frame(table, dtypes)
    missing = float("nan") if _NAN in said else None
    for place in json.loads(said.get(_OBJECTS, b"[]")):  # newer pandas make their own texts of them
        column = frame.iloc[:, place].astype(object)
        frame.isetitem(place, column.where(column.notna(), missing))
    return frame
