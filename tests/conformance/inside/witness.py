"""For blocks under test: `saw(...)` adds what they were given to the file that WITNESS names, one JSON line a call."""

import json
import os
import sys


def saw(*values):
    line = json.dumps([described(value) for value in values])
    with open(os.environ["WITNESS"], "a") as lines:  # noqa: PTH123
        lines.write(line + "\n")


def described(value):
    """The value with its type, the same for all versions of pandas."""
    if type(value) in (str, int, float, bool, type(None)):
        return value if value == value else "nan"  # JSON has no NaN
    if type(value) is list:
        return [described(item) for item in value]
    if type(value) is dict:
        return {text(key): described(item) for key, item in value.items()}
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return frame(value)
    return f"{type(value).__name__}: {value}"


def text(name):
    return name if isinstance(name, str) else f"{type(name).__name__} {name}"


def frame(value):
    columns = {text(name): column(value[name]) for name in value.columns}
    return {"columns": columns, "index": value.index.tolist(), "attrs": value.attrs}


def column(values):
    """Kind and cells: what is null is None, text is text whatever pandas calls it, times are without their unit."""
    pandas = sys.modules["pandas"]
    kind = str(values.dtype)
    kind = "text" if kind in ("object", "str", "string") else kind
    for unit in ("[ns", "[us", "[ms", "[s"):
        kind = kind.replace(f"datetime64{unit}", "datetime64[")
    cells = [None if pandas.api.types.is_scalar(cell) and pandas.isna(cell) else cell for cell in values.tolist()]
    return [kind, [cell if cell is None else described(cell) for cell in cells]]
