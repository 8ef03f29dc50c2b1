from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mage_project.errors import ConfigError
from mage_project.io.repo_path import set_repo_path
from mage_project.mage_ai.data_preparation import variable_manager
from mage_project.mage_ai.yaml_mapping import remove_entry, set_entry

METADATA = """\
# what this pipeline is for
name: taxi
variables:
  service: green  # or yellow
  months:
  - 2020-10
  - 2020-11
  limit: 3
blocks: []
"""


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[Path]:
    file = tmp_path / "pipelines" / "taxi" / "metadata.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(METADATA)
    set_repo_path(tmp_path)
    yield file
    set_repo_path(None)


def test_variables_of_the_pipeline_are_read(metadata):
    assert variable_manager.get_global_variable("taxi", "service") == "green"
    assert variable_manager.get_variable("taxi", "global", "limit") == 3
    assert variable_manager.get_global_variable("taxi", "other") is None
    assert list(variable_manager.get_global_variables("taxi")) == ["service", "months", "limit"]


def test_a_pipeline_without_variables_has_none(metadata):
    metadata.write_text("name: taxi\n")
    assert variable_manager.get_global_variables("taxi") == {}


@pytest.mark.parametrize(("key", "value"), [("service", "yellow: #"), ("months", ["2021-01"]), ("new", {"a": None})])
def test_setting_a_variable_leaves_the_rest_of_the_file(metadata, key, value):
    variable_manager.set_global_variable("taxi", key, value)
    assert variable_manager.get_global_variable("taxi", key) == value
    before, after = METADATA.splitlines(), metadata.read_text().splitlines()
    assert set(before) - set(after) <= {"  service: green  # or yellow", "  months:", "  - 2020-10", "  - 2020-11"}
    assert "# what this pipeline is for" in after


def test_a_comment_between_entries_stays(metadata):
    metadata.write_text("variables:\n  months:\n  - 1\n  # how many\n  limit: 3\n")
    variable_manager.set_global_variable("taxi", "months", [2])
    assert metadata.read_text() == "variables:\n  months: [2]\n  # how many\n  limit: 3\n"


def test_a_comment_behind_a_changed_value_stays(metadata):
    variable_manager.set_global_variable("taxi", "service", "fhv")
    assert '  service: "fhv"  # or yellow\n' in metadata.read_text()


def test_a_variable_can_be_deleted(metadata):
    for key in ("months", "limit", "service", "nothing"):
        variable_manager.delete_global_variable("taxi", key)
    assert variable_manager.get_global_variables("taxi") == {}
    assert yaml.safe_load(metadata.read_text()) == {"name": "taxi", "variables": {}, "blocks": []}


@pytest.mark.parametrize(
    "variables", ["variables: {}", "variables:", "variables: {a: 1, b: [2]}", "", "variables: null"]
)
def test_any_form_of_the_mapping_can_be_changed(variables):
    text = f"name: taxi\n{variables}\nblocks: []\n"
    before = (yaml.safe_load(text) or {}).get("variables") or {}
    assert yaml.safe_load(set_entry(text, "variables", "x", 1))["variables"] == {**before, "x": 1}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
    max_leaves=4,
)
mappings = st.dictionaries(st.text("abcd", min_size=1, max_size=3), values, max_size=4)


@given(mappings, st.booleans(), st.text("abcd", min_size=1, max_size=3), values)
def test_set_and_remove_change_one_entry_only(mapping, is_flow, key, value):
    document = {"first": 1, "variables": mapping, "last": [1]}
    text = yaml.safe_dump(document, default_flow_style=is_flow, sort_keys=False)
    changed = set_entry(text, "variables", key, value) if not is_flow else text
    if not is_flow:
        assert yaml.safe_load(changed) == {**document, "variables": {**mapping, key: value}}
    removed = yaml.safe_load(remove_entry(changed, "variables", key))
    assert removed == {**document, "variables": {k: v for k, v in mapping.items() if k != key}}


def test_a_missing_pipeline_is_told_with_the_one_that_may_be_meant(metadata):
    with pytest.raises(ConfigError, match=r"no pipeline 'taxis'. Did you mean 'taxi'"):
        variable_manager.get_global_variable("taxis", "service")


def test_malformed_yaml_is_told_with_its_line(metadata):
    metadata.write_text("a: 1\nb: [\n")
    with pytest.raises(ConfigError, match=r"not valid YAML") as caught:
        variable_manager.get_global_variable("taxi", "service")
    assert str(caught.value.where).endswith("metadata.yaml:3")


def test_outputs_of_blocks_are_not_variables(metadata):
    with pytest.raises(ConfigError, match=r"name 'load' in upstream_blocks"):
        variable_manager.get_variable("taxi", "load", "output_0")
