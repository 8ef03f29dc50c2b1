"""Parquet that is not as it should be: each has its own sentence, and nothing of it is taken for a month."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from taxi.trips import month_frames
from tests.taxi.drift import load, month_table, write_parquet

MONTH = ("green", "2024-01")
ROWS = 90_000


def big(folder: Path, **options: object) -> Path:
    """A month of three row groups, whose values do not pack well."""
    table = month_table(*MONTH, ROWS, total_amount=pa.array([n * 1.37 for n in range(ROWS)]))
    return write_parquet(folder, *MONTH, table, row_group_size=ROWS // 3, use_dictionary=False, **options)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes(256 * b % 256 ^ 0xFF for b in content[place : place + 64]) + content[place + 64 :]


ENDS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda content: b"", "the file is empty"),
    "four bytes": (lambda content: b"PAR1", "cut off: its footer is missing"),
    "truncated": (lambda content: content[:-500], "cut off: its footer is missing"),
    "without its last byte": (lambda content: content[:-1], "cut off: its footer is missing"),
    "something behind it": (lambda content: content + b"more", "cut off: its footer is missing"),
    "a footer that is too long": (lambda content: content[:-8] + b"\xff\xff\xff\x7fPAR1", "longer than the file"),
    "a footer of zeros": (lambda content: content[:-5000] + b"\0" * 4992 + content[-8:], "damaged"),
    "wrong magic": (lambda content: b"PARX" + content[4:], r"not Parquet: it starts with b'PARX'"),
    "encrypted": (lambda content: b"PARE" + content[4:-4] + b"PARE", "is encrypted"),
    "a web page": (lambda content: b"<html>no</html>", r"this is a web page \(HTML\)"),
    "gzip": (lambda content: b"\x1f\x8b" + content, "this is packed with gzip"),
    "zip": (lambda content: b"PK\x03\x04" + content, "this is a zip archive"),
}


@pytest.mark.parametrize(("spoil", "message"), ENDS.values(), ids=ENDS)
def test_a_file_that_is_not_whole_is_refused_before_any_row(
    tmp_path: Path, spoil: Callable[[bytes], bytes], message: str
) -> None:
    path = write_parquet(tmp_path, *MONTH, month_table(*MONTH))
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{message}") as error:
        month_frames(*MONTH, str(tmp_path), project=tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "none"])
def test_a_corrupt_page_of_the_last_row_group_is_an_error_before_the_end(tmp_path: Path, compression: str) -> None:
    path = big(tmp_path, compression=compression, write_page_checksum=True)
    place = pq.read_metadata(path).row_group(2).column(16).data_page_offset
    path.write_bytes(flipped(path.read_bytes(), place + 300))
    frames = month_frames(*MONTH, str(tmp_path), project=tmp_path)
    assert len(next(frames)) > 0
    with pytest.raises(
        ValueError, match=r"2024-01\.parquet, row group 3, column total_amount: .* is damaged \("
    ) as error:
        list(frames)
    assert "\n" not in str(error.value)


def test_statistics_that_lie_change_nothing(tmp_path: Path) -> None:
    table = month_table(*MONTH, total_amount=pa.array([123456.0, 2.0, 3.0]))
    path = write_parquet(tmp_path, *MONTH, table, use_dictionary=False, compression="none")
    right, wrong = (pa.array([value]).buffers()[1].to_pybytes() for value in (123456.0, -1.0))
    before, data, behind = path.read_bytes().partition(table["total_amount"].chunk(0).buffers()[1].to_pybytes()[:24])
    assert right in behind
    path.write_bytes(before.replace(right, wrong) + data + behind.replace(right, wrong))
    assert pq.read_metadata(path).row_group(0).column(16).statistics.max == -1.0
    assert load(tmp_path, *MONTH)["total_amount"].tolist() == [123456.0, 2.0, 3.0]


def test_no_rows_are_a_month_without_trips(tmp_path: Path) -> None:
    table = month_table(*MONTH, 0)
    path = tmp_path / "green_tripdata_2024-01.parquet"
    pq.ParquetWriter(path, table.schema).close()
    assert pq.read_metadata(path).num_row_groups == 0
    with pytest.warns(UserWarning, match="the month has columns and no rows"):
        trips = load(tmp_path, *MONTH)
    assert trips.shape == (0, 20)
    assert str(trips["VendorID"].dtype) == "int32[pyarrow]"


@pytest.mark.parametrize("plaintext_footer", [True, False], ids=["columns", "all"])
def test_an_encrypted_file_is_refused(tmp_path: Path, plaintext_footer: bool) -> None:
    key = pe.create_encryption_properties(b"0123456789abcdef", plaintext_footer=plaintext_footer)
    write_parquet(tmp_path, *MONTH, month_table(*MONTH), encryption_properties=key)
    with pytest.raises(ValueError, match=r"2024-01\.parquet.*: this Parquet file is encrypted"):
        load(tmp_path, *MONTH)


def test_a_file_with_an_encrypted_column_is_refused_as_such(tmp_path: Path) -> None:
    class Keys(pe.KmsClient):
        """Keys that are not wrapped: what is written is not read again."""

        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> str:
            return key_bytes.hex()

    asked = pe.EncryptionConfiguration(footer_key="a", column_keys={"b": ["total_amount"]}, plaintext_footer=True)
    factory = pe.CryptoFactory(lambda _: Keys())
    key = factory.file_encryption_properties(pe.KmsConnectionConfig(), asked)
    write_parquet(tmp_path, *MONTH, month_table(*MONTH), encryption_properties=key)
    with pytest.raises(ValueError, match=r"2024-01\.parquet.*: this Parquet file is encrypted"):
        load(tmp_path, *MONTH)


NESTED = {
    "a list": pa.array([[1], [2], None]),
    "a struct": pa.array([{"a": 1}, {"a": 2}, None]),
    "a map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
}


@pytest.mark.parametrize("nested", NESTED.values(), ids=NESTED)
def test_a_nested_column_is_refused_or_left_out(tmp_path: Path, nested: pa.Array) -> None:
    write_parquet(tmp_path, *MONTH, month_table(*MONTH, stops=nested))
    with pytest.raises(ValueError, match=r"column 'stops': it is nested .* contract: \{unknown: discard\}"):
        load(tmp_path, *MONTH)
    with pytest.warns(UserWarning, match="a new column, not loaded"):
        assert "stops" not in load(tmp_path, *MONTH, {"unknown": "discard"})


def test_names_that_differ_by_case_or_blanks_only_are_refused(tmp_path: Path) -> None:
    table = month_table(*MONTH, mood=pa.array([1, 2, 3]), **{" Mood": pa.array([1, 2, 3])})
    write_parquet(tmp_path, *MONTH, table)
    with pytest.raises(ValueError, match="names occur more than once: 'mood' and ' Mood'"):
        load(tmp_path, *MONTH)


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    table = month_table(*MONTH)
    write_parquet(tmp_path, *MONTH, table.append_column("VendorID", table["VendorID"]))
    with pytest.raises(ValueError, match="names occur more than once: 'VendorID' and 'VendorID'"):
        load(tmp_path, *MONTH)
