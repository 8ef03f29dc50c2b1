"""Mage's helpers that call, print, wait or look at files; the others are compared with Mage's own."""

from __future__ import annotations

import io
import logging
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from mage_project.mage_ai.io import constants, export_utils
from mage_project.mage_ai.shared import array, dates, environments, hash, logger, strings, utils
from mage_project.mage_ai.shared.retry import retry


def test_items_are_found_by_a_condition():
    assert array.find(lambda item: item > 1, [1, 2, 3]) == 2
    assert array.find(lambda item: item > 1, [1, 2, 3], map=str) == "2"
    assert array.find(bool, []) is None
    assert [array.find_index(bool, items) for items in ([0, 1], [])] == [1, -1]


def test_items_are_grouped_and_indexed():
    words = ["a", "bb", "cc"]
    assert hash.group_by(len, words) == {1: ["a"], 2: ["bb", "cc"]}
    assert hash.index_by(len, words) == {1: "a", 2: "cc"}
    assert array.unique_by(words, len) == ["a", "bb"]
    assert list(array.batch(words, 2)) == [["a", "bb"], ["cc"]]
    assert array.sample(["a"]) == "a"


def test_a_mapping_is_combined_into_another():
    parent = {"a": {"b": 1, "c": 2}, "d": 3}
    hash.combine_into({"a": {"b": 5}, "e": {"f": 6}}, parent)
    assert parent == {"a": {"b": 5, "c": 2}, "d": 3, "e": {"f": 6}}
    assert hash.replace_dict_nan_value({"a": float("nan"), "b": 1}) == {"a": None, "b": 1}


def test_a_character_outside_of_the_text_is_an_error():
    with pytest.raises(ValueError, match="no place 3 in 'abc'"):
        strings.replacer("abc", "X", 3)
    assert strings.format_enum(logger.LoggingLevel.INFO) == "INFO"


@pytest.mark.parametrize(("fails", "said"), [(False, "  load... DONE\n"), (True, "  load... FAILED\n")])
def test_a_message_says_how_its_block_ended(capsys, fails, said):
    try:
        with logger.VerboseFunctionExec("load", prefix=""):
            assert not fails
    except AssertionError:
        assert fails
    assert capsys.readouterr().out.split() == said.split()


def test_a_message_goes_to_the_stream_of_its_block(capsys):
    stream = io.StringIO()
    with logger.BlockFunctionExec("block", "loading", lambda *_args, **_kwargs: stream):
        pass
    with logger.BlockFunctionExec("block", "unheard"):
        pass
    assert stream.getvalue() == "loading\nDONE\n"
    assert capsys.readouterr().out == ""


def test_a_connector_says_its_steps_only_if_it_is_verbose(capsys):
    with logger.VerbosePrintHandler("quiet").print_msg("a"):
        pass
    assert capsys.readouterr().out == ""
    with logger.VerbosePrintHandler("Notes initialized", verbose=True).print_msg("load"):
        pass
    assert capsys.readouterr().out == "Notes initialized\n└─ load...DONE\n"


def test_a_timer_notes_its_metric(caplog):
    with caplog.at_level(logging.DEBUG), logger.timer("loading", {"month": "2020-10"}):
        pass
    assert "metric: loading" in caplog.text
    assert logger.LoggingLevel.is_valid_level("info")


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (2, 3)])
def test_a_function_is_tried_again_until_the_tries_are_used(capsys, retries, tries):
    metadata = {"attempts": 1}

    @retry(retries=retries, delay=0, retry_metadata=metadata)
    def fail() -> None:
        raise OSError("busy")

    with pytest.raises(OSError, match="busy"):
        fail()
    assert metadata == {"attempts": 1 + tries}
    assert f"attempt {tries} of {tries}: busy" in capsys.readouterr().out


def test_a_function_that_succeeds_is_not_tried_again():
    calls: list[int] = []

    @retry(retries=5, delay=0)
    def twice() -> int:
        calls.append(1)
        if len(calls) < 2:
            raise OSError("busy")
        return len(calls)

    assert twice() == 2


def test_files_are_listed(tmp_path: Path, capsys):
    (tmp_path / "below").mkdir()
    for name in ("a", "below/b"):
        (tmp_path / name).touch()
    assert sorted(utils.files_in_path(tmp_path, verbose=1)) == [str(tmp_path / "a"), str(tmp_path / "below" / "b")]
    assert utils.files_in_single_path(tmp_path) == [str(tmp_path / "a")]
    assert str(tmp_path / "a") in capsys.readouterr().out


def test_a_path_is_made_absolute(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LAKE", "lake")
    assert utils.get_absolute_path("~/$LAKE") == str(tmp_path / "lake")
    assert not utils.is_spark_env()
    assert not utils.is_port_in_use(9, "127.0.0.1")


def test_dates_are_compared_across_zones():
    early, late = (datetime(2020, 10, day, tzinfo=UTC) for day in (1, 2))
    assert [dates.compare(early, late), dates.compare(late, early), dates.compare(early, early)] == [-1, 1, 0]
    assert dates.compare(None, late) is None
    assert dates.n_days_ago(0) == f"{datetime.now():%Y-%m-%d}"
    with pytest.raises(ValueError, match="'7y' is no period"):
        dates.str_to_timedelta("7y")


@pytest.mark.parametrize(
    ("env", "name"), [("production", "prod"), ("test", "test"), ("staging", "staging"), ("x", "dev")]
)
def test_the_environment_is_named_by_a_variable(monkeypatch, env, name):
    monkeypatch.setenv("ENV", env)
    assert environments.get_env() == name
    known = {"prod": environments.is_production, "test": environments.is_test, "staging": environments.is_staging}
    assert [kind for kind, is_it in known.items() if is_it()] == [kind for kind in known if kind == name]
    assert not environments.is_dev()


def test_a_frame_is_cleaned_for_a_table():
    frame = pd.DataFrame({"n": [1, 2], "t": ["a", "b"]})
    kinds = export_utils.infer_dtypes(frame)
    assert kinds == {"n": export_utils.PandasTypes.INTEGER, "t": export_utils.PandasTypes.STRING}
    cleaned = export_utils.clean_df_for_export(frame, lambda column, kind: column.astype(str) + f" {kind}", kinds)
    assert cleaned["n"].tolist() == ["1 integer", "2 integer"]
    assert frame["n"].tolist() == [1, 2]
    assert "SELECT" in constants.SQL_RESERVED_WORDS
