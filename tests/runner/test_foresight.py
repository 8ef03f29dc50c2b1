"""What a block will fail for is told by `check`, without running it."""

from __future__ import annotations

import pytest

from mage_project.cli.inspection import problems_of
from mage_project.project import Project
from tests.projects import block, write_pipeline, write_project

LOAD = "@data_loader\ndef load(**kwargs):\n    return 1\n"


def problems(tmp_path, code, *upstream):
    (tmp_path / "io_config.yaml").write_text("version: 0.1.1\ndefault: {}\nprod: {}\n")
    blocks = [block("a", "data_loader"), block("b", "data_loader"), block("t", "transformer", *upstream)]
    found = problems_of(write_project(tmp_path, blocks, {"a": LOAD, "b": LOAD, "t": code}), "p")
    return [(each.line, each.message, each.warning) for each in found]


@pytest.mark.parametrize(
    ("code", "upstream", "line", "message"),
    [
        ("@transformer\ndef t(df):\n    pass\n", "", 2,
         "'t' of block 't' needs 1 by position (df), and its upstream_blocks give 0"),
        ("@transformer\ndef t(df):\n    pass\n", "ab", 2,
         "'t' of block 't' takes 1 by position, and its upstream_blocks give 2"),
        ("config_profile = 'prd'\n@transformer\ndef t(df):\n    pass\n", "a", 1,
         "io_config.yaml has no profile 'prd'. Did you mean 'prod'?"),
        ("import nonsense.more\n@transformer\ndef t(df):\n    pass\n", "a", 1,
         "the module 'nonsense' is not installed"),
    ],
    ids=["no upstream", "too many", "profile", "module"],
)  # fmt: skip
def test_what_a_block_will_fail_for_is_told(tmp_path, code, upstream, line, message):
    assert problems(tmp_path, code, *upstream) == [(line, message, True)]


@pytest.mark.parametrize(
    "parameters",
    ["df, other", "df, *more", "*given", "df, other, third=None, **kwargs", "df, other, execution_date, **kwargs"],
)
def test_nothing_is_told_of_a_block_that_can_take_its_inputs(tmp_path, parameters):
    code = f"import json\nconfig_profile = 'prod'\n@transformer\ndef t({parameters}):\n    pass\n"
    assert problems(tmp_path, code, "a", "b") == []


def test_a_profile_that_no_block_names_need_not_be_there(tmp_path):
    (tmp_path / "io_config.yaml").write_text("version: 0.1.1\nwarehouse: {}\n")
    code = "config_profile = 'warehouse'\n" + LOAD
    assert problems_of(write_project(tmp_path, [block("a", "data_loader")], {"a": code}), "p") == []


@pytest.mark.parametrize("kind", ["integration", "streaming"])
def test_only_one_thing_is_told_of_a_pipeline_that_only_mage_runs(tmp_path, kind):
    (tmp_path / "data_loaders").mkdir()
    (tmp_path / "data_loaders" / "a.yaml").write_text("connector_type: x\n")
    write_pipeline(tmp_path, f"type: {kind}\nblocks:\n- {{uuid: a, type: data_loader, language: yaml}}\n")
    [problem] = problems_of(Project(tmp_path), "p")
    assert "that is not run here" in problem.message
