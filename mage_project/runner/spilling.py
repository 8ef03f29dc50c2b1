"""Values that wait for their readers on disk instead of in memory.

A frame goes to an Arrow file, and is read by mapping the file into memory: columns of Arrow's types without a copy.
Frames with Python objects, an index or the like are pickled. The files have no names: when the run ends, however it
ends, they are gone.
"""

from __future__ import annotations

import errno
import json
import pickle
import sys
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from mage_project.history import private
from mage_project.runner import values

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Of a column of Python objects as many are looked at, to tell how large it is.
_LOOKED_AT = 1000


class Nameless:
    """A file that nobody else sees, and that is gone when nobody has it, or with the process."""

    def __init__(self, folder: Path) -> None:
        self.file = _opened(folder)
        weakref.finalize(self, self.file.close)

    def writer(self, schema: pa.Schema) -> pa.RecordBatchFileWriter:
        """What writes tables of this schema."""
        import pyarrow as pa

        return pa.ipc.new_file(pa.PythonFile(self.file, mode="w"), schema)

    def mapped(self) -> pa.Table:
        """What was written, in memory as far as it is looked at."""
        import pyarrow as pa

        self.file.flush()
        return pa.ipc.open_file(pa.memory_map(f"/dev/fd/{self.file.fileno()}")).read_all()


def _opened(folder: Path) -> BinaryIO:
    """A file in the folder; where nobody may write there, in that for temporary files."""
    try:
        place: Path | None = private.folder(folder)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise
        place = None
    import tempfile  # takes its time, and few runs spill

    return cast(BinaryIO, tempfile.TemporaryFile(dir=place))


class Spilled:
    """A frame or a table on disk. `load` gives it as it was."""

    def __init__(self, file: Nameless, *, form: str, dtypes: Sequence[Any] = (), attrs: Any = None) -> None:
        """`form`: frame, table (both in Arrow's format) or pickle. `dtypes`: those of a frame."""
        self._file, self._form, self._dtypes, self._attrs = file, form, list(dtypes), attrs
        #: Bytes on disk.
        self.size_bytes = file.file.tell()

    def load(self) -> Any:
        if self._form == "pickle":
            self._file.file.seek(0)
            return pickle.load(self._file.file)  # noqa: S301 - this process wrote it, and nobody else can reach it
        table = self._file.mapped()
        if self._form == "table":
            return table
        frame = as_frame(table, self._dtypes)
        frame.attrs = dict(self._attrs or {})
        return frame


def spill(value: Any, folder: Path) -> Spilled:
    """Write a frame or a table. Raises OSError where the disk does not take it, else what its values raise."""
    is_frame = values.is_frame(value)
    if is_frame and not fits_arrow(value):
        file = Nameless(folder)
        pickle.dump(value, file.file, protocol=5)
        return Spilled(file, form="pickle")
    import pyarrow as pa

    table = pa.Table.from_pandas(value) if is_frame else value
    file = Nameless(folder)
    with file.writer(table.schema) as writer:
        writer.write_table(table)
    if not is_frame:
        return Spilled(file, form="table")
    return Spilled(file, form="frame", dtypes=value.dtypes, attrs=value.attrs)


def as_frame(table: pa.Table, dtypes: Sequence[Any]) -> pd.DataFrame:
    """The frame that the table was made of; its columns of Arrow's types are those of the table."""
    import pandas as pd

    frame: pd.DataFrame = _readable(table, dtypes).to_pandas()
    for place, dtype in enumerate(dtypes):
        if isinstance(dtype, pd.ArrowDtype) and frame.dtypes.iloc[place] != dtype:  # texts come as pandas' own
            frame.isetitem(place, pd.arrays.ArrowExtensionArray(table.column(place)))
    return frame


def _readable(table: pa.Table, dtypes: Sequence[Any]) -> pa.Table:
    """The table, described to pandas in names that it understands: not those of Arrow's types with others inside."""
    known = table.schema.metadata or {}
    odd = [place for place, dtype in enumerate(dtypes) if _has_parameters(getattr(dtype, "pyarrow_dtype", None))]
    if not odd or b"pandas" not in known:
        return table
    said = json.loads(known[b"pandas"])
    for place in odd:
        said["columns"][place]["numpy_type"] = "object"
    described: pa.Table = table.replace_schema_metadata({**known, b"pandas": json.dumps(said).encode()})
    return described


def _has_parameters(type_: Any) -> bool:
    import pyarrow as pa

    is_any = (pa.types.is_nested, pa.types.is_dictionary, pa.types.is_fixed_size_binary)
    return type_ is not None and any(is_one(type_) for is_one in is_any)


def size(value: Any) -> int:
    """About how many bytes a frame or a table takes, Python objects in it included; 0 for anything else."""
    known = values.size(value) or 0
    if not values.is_frame(value):
        return known
    for place, dtype in enumerate(value.dtypes):
        if dtype.kind == "O" and not hasattr(dtype, "pyarrow_dtype"):
            some = value.iloc[:_LOOKED_AT, place].array
            known += sum(map(sys.getsizeof, some)) * len(value) // max(len(some), 1)
    return known


def fits_arrow(frame: pd.DataFrame) -> bool:
    """Whether an Arrow file gives the frame back as it is."""
    import pandas as pd

    index = frame.index
    counted = isinstance(index, pd.RangeIndex) and (index.start, index.step, index.name) == (0, 1, None)
    names = list(frame.columns)
    named = frame.columns.name is None and all(type(name) is str for name in names) and len(set(names)) == len(names)
    return counted and named and all(map(_is_plain, frame.dtypes))


def _is_plain(dtype: Any) -> bool:
    import pandas as pd

    if isinstance(dtype, (pd.ArrowDtype, pd.StringDtype, pd.DatetimeTZDtype)):
        return True
    return isinstance(dtype.kind, str) and dtype.kind in "biufmM" and dtype.name != "float16" and not _is_special(dtype)


def _is_special(dtype: Any) -> bool:
    import pandas as pd

    return isinstance(dtype, (pd.SparseDtype, pd.PeriodDtype, pd.IntervalDtype, pd.CategoricalDtype))
