"""read_csv's dates as they were: parsed by a function of the block, or put together from several columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Column = str | int


@dataclass(frozen=True, kw_only=True)
class OldDates:
    """What is done after the file has been read, with columns that were read as text."""

    parser: Callable[..., Any] | None
    parts: Mapping[str, Sequence[Column]]
    columns: Sequence[Column]
    keeps: bool

    @classmethod
    def taken_from(cls, kwargs: dict[str, Any]) -> OldDates | None:
        """Take the old arguments out of read_csv's; None where there are none that matter."""
        parser, keeps = kwargs.pop("date_parser", None), bool(kwargs.pop("keep_date_col", False))
        dates = kwargs.get("parse_dates")
        if isinstance(dates, dict):
            parts, columns = {str(name): _listed(part) for name, part in dates.items()}, []
        elif isinstance(dates, list | tuple):
            parts = {"_".join(map(str, part)): _listed(part) for part in dates if isinstance(part, list | tuple)}
            columns = [column for column in dates if not isinstance(column, list | tuple)]
        else:
            return None
        if parser is None and not parts:
            return None
        if kwargs.get("chunksize") or kwargs.get("iterator"):
            raise TypeError("date_parser and combined parse_dates are gone from pandas: parse each chunk yourself")
        del kwargs["parse_dates"]
        old = cls(parser=parser, parts=parts, columns=columns, keeps=keeps)
        kwargs["dtype"] = _with_texts(kwargs.get("dtype"), old.read_as_text)
        return old

    @property
    def argument(self) -> str:
        return "date_parser" if self.parser is not None else "parse_dates with several columns for one date"

    @property
    def instead(self) -> str:
        return "date_format='%Y-%m-%d ...', or pd.to_datetime(frame[column], ...) after it"

    @property
    def read_as_text(self) -> list[Column]:
        return [*self.columns, *(column for part in self.parts.values() for column in part)]

    def applied(self, pandas: Any, frame: Any) -> Any:
        """The frame with its dates."""
        for column in self.columns:
            name = frame.columns[column] if isinstance(column, int) and column not in frame.columns else column
            if name in frame.columns:
                frame[name] = self._parsed(pandas, frame[name])
            elif name == frame.index.name:
                frame.index = pandas.Index(self._parsed(pandas, frame.index.to_series()), name=name)
            else:
                raise ValueError(f"Missing column provided to 'parse_dates': '{name}'")
        names = {new: [_named(frame, column) for column in part] for new, part in self.parts.items()}
        made = {new: self._parsed(pandas, *(frame[column] for column in part)) for new, part in names.items()}
        if not self.keeps:
            frame = frame.drop(columns=[column for part in names.values() for column in part])
        for new in reversed(made):
            frame.insert(0, new, made[new])
        return frame

    def _parsed(self, pandas: Any, *columns: Any) -> Any:
        """The dates of one or several columns of text, by the block's parser where it has one."""
        joined = columns[0] if len(columns) == 1 else columns[0].str.cat(columns[1:], sep=" ")
        if self.parser is None:
            return pandas.to_datetime(joined)
        try:
            dates = self.parser(*(column.to_numpy(dtype=object) for column in columns))
        except Exception:  # noqa: BLE001 - as pandas did: a parser that takes no arrays is called for each row
            rows = zip(*columns, strict=True)
            dates = [pandas.NaT if pandas.isna(row).any() else self.parser(*row) for row in map(list, rows)]
        return pandas.Series(pandas.to_datetime(dates), index=joined.index, name=joined.name)


def _named(frame: Any, column: Column) -> Any:
    return frame.columns[column] if isinstance(column, int) and column not in frame.columns else column


def _listed(part: Any) -> list[Column]:
    return list(part) if isinstance(part, list | tuple) else [part]


def _with_texts(dtype: Any, columns: Sequence[Column]) -> Any:
    """read_csv's dtype, with the columns of dates as text."""
    texts = dict.fromkeys(columns, "str")
    return {**dtype, **texts} if isinstance(dtype, Mapping) else dtype if dtype is not None else texts
