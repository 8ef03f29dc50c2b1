from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mage_project.errors import StoreError
from mage_project.io.casting import cast, first_failing

INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
NUMBERS = [*INTEGERS, pa.float32(), pa.float64(), pa.decimal128(12, 3), pa.decimal128(38, 0)]


small = st.integers(-300, 300)


def to(values: list[object], source: pa.DataType, target: pa.DataType) -> list[object]:
    return cast(pa.array(values, source), target, column="x", sql=str(target)).to_pylist()


@given(
    st.sampled_from(NUMBERS),
    st.sampled_from(NUMBERS),
    st.lists(st.none() | small | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False), max_size=5),
)
def test_a_number_is_cast_exactly_or_refused(source, target, values):
    try:
        array = pa.array([Decimal(v) if v is not None and pa.types.is_decimal(source) else v for v in values], source)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        assume(False)
    try:
        result = cast(array, target, column="x", sql=str(target))
    except StoreError as error:
        assert "in row" in str(error)  # noqa: PT017
        return
    found = result.to_pylist()
    if pa.types.is_floating(source) and pa.types.is_decimal(target):  # 0.1 is 0.10, though no float is
        found = [
            value if value is None or value == int(value) else pa.scalar(float(value), source).as_py()
            for value in found
        ]
    assert found == array.to_pylist()


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        ("12", pa.string(), pa.int64(), 12),
        (12, pa.int64(), pa.string(), "12"),
        (1.5, pa.float64(), pa.large_string(), "1.5"),
        (True, pa.bool_(), pa.int16(), 1),
        (1, pa.int64(), pa.bool_(), True),
        (True, pa.bool_(), pa.decimal128(5, 2), Decimal("1.00")),
        (0.1, pa.float64(), pa.decimal128(5, 2), Decimal("0.10")),
        (0.1, pa.float32(), pa.decimal128(5, 2), Decimal("0.10")),
        (2.0**62 + 2.0**40, pa.float64(), pa.decimal128(38, 0), Decimal(2**62 + 2**40)),
        (44157288.0, pa.float32(), pa.decimal128(12, 3), Decimal("44157288.000")),
        (dt.datetime(2020, 1, 1), pa.timestamp("us"), pa.date32(), dt.date(2020, 1, 1)),
        (dt.date(2020, 1, 1), pa.date32(), pa.timestamp("us"), dt.datetime(2020, 1, 1)),
        ("2020-01-01", pa.string(), pa.date32(), dt.date(2020, 1, 1)),
        (b"x", pa.binary(), pa.string(), "x"),
        ([1, None], pa.list_(pa.int64()), pa.string(), "[1, null]"),
        ({"a": 1.5}, pa.struct({"a": pa.float64()}), pa.string(), '{"a": 1.5}'),
        (None, pa.null(), pa.int64(), None),
        ("a", pa.dictionary(pa.int8(), pa.string()), pa.string(), "a"),
    ],
)
def test_what_means_the_same_is_cast(value, source, target, expected):
    assert to([value], source, target) == [expected]


@pytest.mark.parametrize(
    ("value", "source", "target"),
    [
        (2, pa.int64(), pa.bool_()),
        (2**53 + 1, pa.int64(), pa.float64()),
        ("x", pa.string(), pa.int64()),
        (dt.datetime(2020, 1, 1, 1), pa.timestamp("us"), pa.date32()),
        (dt.datetime(2020, 1, 1, 0, 0, 0, 5), pa.timestamp("us"), pa.timestamp("s")),
        (Decimal("1.005"), pa.decimal128(5, 3), pa.decimal128(5, 2)),
        ("9" * 53, pa.string(), pa.decimal128(38, 0)),
        (b"\xff", pa.binary(), pa.string()),
        ([1], pa.list_(pa.int64()), pa.int64()),
    ],
)
def test_what_would_lose_something_is_refused_with_its_row(value, source, target):
    with pytest.raises(StoreError, match=r"column 'x'.* (in row 2|cannot become)"):
        to([None, value], source, target)


def test_nanoseconds_become_microseconds():
    array = pa.array([1_500, 2_000], pa.int64()).view(pa.timestamp("ns"))
    assert cast(array, pa.timestamp("us"), column="x", sql="timestamp").cast(pa.int64()).to_pylist() == [1, 2]


@given(st.integers(1, 50), st.data())
def test_the_first_failing_value_is_found(length, data):
    bad = data.draw(st.sets(st.integers(0, length - 1)))
    found = first_failing(length, lambda start, end: not any(start <= place < end for place in bad))
    assert found == (min(bad) if bad else None)
