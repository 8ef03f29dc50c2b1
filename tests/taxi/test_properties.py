"""What holds for any text, any cut and any file."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taxi import unpack as unpacking
from taxi.answers import days_of, ranges_of
from taxi.columns import CODE, DOLLARS, WALL_TIME
from taxi.csv_batches import fast_table
from taxi.exact import read_exactly
from taxi.text import Block, blocks
from taxi.unpack import unpack
from tests.taxi.making import GREEN, load, write_month

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
VALUES = {
    CODE: st.integers(-(2**31), 2**31 - 1),
    DOLLARS: st.floats(allow_nan=False, allow_infinity=False),
    WALL_TIME: st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)).map(lambda time: time.replace(microsecond=0)),
}
TRIPS = st.lists(st.tuples(*[st.none() | VALUES.get(kind, TEXTS) for kind in GREEN.values()]), max_size=5)
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(trips: list[tuple[object, ...]], **dialect: object) -> str:
    lines = io.StringIO()
    csv.writer(lines, **dialect).writerows(trips)
    return lines.getvalue()


@SLOW
@given(
    trips=TRIPS.filter(bool),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_was_written_is_read(tmp_path: Path, trips: list[tuple[object, ...]], end: str, quoting: int) -> None:
    write_month(tmp_path, written([tuple(GREEN), *trips], lineterminator=end, quoting=quoting).encode())
    read = [tuple(None if pd.isna(value) else value for value in row) for row in load(tmp_path).itertuples(index=False)]
    assert read == trips


@SLOW
@given(trips=TRIPS.filter(bool))
def test_the_slow_reading_gives_what_the_fast_one_gives(trips: list[tuple[object, ...]]) -> None:
    block = Block(text=memoryview(written(trips).encode()), start=0, quoted=True)
    names = list(GREEN)
    assert read_exactly(block, names, GREEN).equals(fast_table(block, names, GREEN).combine_chunks())


@given(fields=st.lists(TEXTS, min_size=1, max_size=40), piece=st.integers(1, 30), size=st.integers(1, 60))
def test_blocks_are_whole_records_however_the_text_comes(fields: list[str], piece: int, size: int) -> None:
    text = written([(field, "x") for field in fields]).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("taxi.text.BLOCK_BYTES", size)
        cut = list(blocks(text[i : i + piece] for i in range(0, len(text), piece)))
    assert b"".join(block.text for block in cut) == text
    records = [row for block in cut for row in csv.reader(io.StringIO(bytes(block.text).decode(), newline=""))]
    assert records == list(csv.reader(io.StringIO(text.decode(), newline="")))


@SLOW
@given(
    parts=st.lists(st.binary(max_size=3000), min_size=1, max_size=3),
    reads=st.integers(18, 400),
    pieces=st.integers(1, 400),
)
def test_unpacking_gives_the_bytes_that_were_packed(
    tmp_path: Path, parts: list[bytes], reads: int, pieces: int
) -> None:
    path = tmp_path / "packed.gz"
    path.write_bytes(b"".join(map(gzip.compress, parts)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unpacking, "READ_BYTES", reads)
        patch.setattr(unpacking, "PIECE_BYTES", pieces)
        unpacked = list(unpack(path, "it"))
    assert b"".join(unpacked) == b"".join(parts)
    assert max(map(len, unpacked), default=0) <= pieces


@SLOW
@given(data=st.data())
def test_no_end_that_is_missing_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    packed = gzip.compress(data.draw(st.binary(max_size=500)))
    path = tmp_path / "packed.gz"
    path.write_bytes(packed[: data.draw(st.integers(0, len(packed) - 1))])
    with pytest.raises(ValueError, match=r"^it: "):
        list(unpack(path, "it"))


@SLOW
@given(data=st.data())
def test_a_changed_byte_is_noticed_or_does_not_matter(tmp_path: Path, data: st.DataObject) -> None:
    content = data.draw(st.binary(min_size=1, max_size=500))
    packed = bytearray(gzip.compress(content))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "packed.gz"
    path.write_bytes(packed)
    try:
        unpacked = b"".join(unpack(path, "it"))
    except ValueError:
        return
    assert unpacked == content


@given(st.sets(st.dates()))
def test_days_and_their_ranges_are_the_same(days: set[object]) -> None:
    assert days_of(ranges_of(days)) == days
