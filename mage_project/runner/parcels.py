"""Values on their way from one process to another, through a file without a name.

Frames and Arrow tables are Arrow files within it, mapped by the receiver; everything else is pickled.
"""

from __future__ import annotations

import io
import mmap
import pickle
import struct
from typing import TYPE_CHECKING, Any, BinaryIO

from mage_project.runner import spilling, values

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_LENGTH = struct.Struct(">Q")


def pack(value: Any, file: BinaryIO) -> None:
    """Write the value. Raises what pickle raises of what cannot be handed to another process."""
    content = io.BytesIO()
    _Packer(content, file).dump(value)
    file.write(content.getvalue() + _LENGTH.pack(content.tell()))
    file.flush()


def unpack(file: BinaryIO) -> Any:
    """The value that was written. The file may be closed afterwards."""
    whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    end = len(whole) - _LENGTH.size
    [length] = _LENGTH.unpack(whole[end:])
    return _Unpacker(bytes(whole[end - length : end]), whole).load()


class _Packer(pickle.Pickler):
    def __init__(self, content: BinaryIO, file: BinaryIO) -> None:
        super().__init__(content, protocol=5)
        self._file = file

    def persistent_id(self, value: Any) -> tuple[Any, ...] | None:
        """Where in the file a frame or a table is; None for what is pickled where it stands."""
        if values.is_frame(value) and spilling.fits_arrow(value):
            import pyarrow as pa

            return ("frame", *self._written(pa.Table.from_pandas(value)), list(value.dtypes), dict(value.attrs))
        if hasattr(value, "num_rows") and type(value).__name__ == "Table" and type(value).__module__ == "pyarrow.lib":
            return ("table", *self._written(value))
        return None

    def _written(self, table: pa.Table) -> tuple[int, int]:
        import pyarrow as pa

        self._file.write(bytes(-self._file.tell() % 64))  # Arrow's columns are aligned
        start = self._file.tell()
        with pa.ipc.new_file(pa.PythonFile(self._file, mode="w"), table.schema) as writer:
            writer.write_table(table)
        return start, self._file.tell() - start


class _Unpacker(pickle.Unpickler):
    def __init__(self, content: bytes, whole: memoryview) -> None:
        super().__init__(io.BytesIO(content))
        self._whole = whole

    def persistent_load(self, place: Any) -> Any:
        import pyarrow as pa

        form, start, length, *more = place
        part = pa.py_buffer(self._whole[start : start + length])
        table = pa.ipc.open_file(pa.BufferReader(part)).read_all()
        return table if form == "table" else _frame(table, *more)


def _frame(table: pa.Table, dtypes: list[Any], attrs: dict[Any, Any]) -> pd.DataFrame:
    frame = spilling.as_frame(table, dtypes)
    frame.attrs = attrs
    return frame
