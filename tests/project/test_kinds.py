"""Pipelines as they are found: old, edited on Windows, linked, half there, or of a kind that only Mage runs."""

from __future__ import annotations

import pytest
import yaml

import mage_project
from mage_project.errors import ConfigError
from mage_project.project import Project
from tests.projects import block, write_pipeline, write_project

LOADER = "@data_loader\ndef load():\n    return 1\n"


def problems(root, content):
    write_pipeline(root, yaml.safe_dump(content, sort_keys=False))
    return [problem.message for problem in Project(root).inspect("p")[1]]


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("streaming", "a streaming pipeline"),
        ("integration", "a data integration pipeline"),
        ("pyspark", "a pipeline on Spark"),
    ],
)
def test_a_pipeline_that_only_mage_runs_is_named(tmp_path, kind, named):
    write_pipeline(tmp_path, f"type: {kind}\nblocks: []\n")
    with pytest.raises(ConfigError, match=f"'p' is {named}.*not run here") as caught:
        Project(tmp_path).pipeline("p")
    assert "pipelines/p/metadata.yaml:1" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "named"),
    [("dbt", "a dbt block"), ("global_data_product", "a global data product"), ("hook", "a global hook")],
)
def test_a_block_that_only_mage_runs_is_named(tmp_path, kind, named):
    found = problems(
        tmp_path, {"blocks": [{"uuid": "a", "type": kind}, {"uuid": "b", "type": "chart", "upstream_blocks": ["a"]}]}
    )
    assert [message for message in found if "upstream" in message] == []
    assert found[0].startswith(f"block 'a' is {named}")


def test_a_replicated_block_runs_the_file_of_the_original(tmp_path):
    blocks = [
        block("a", "data_loader"),
        block("b", "data_loader", replicated_block="a"),
        block("c", "data_loader", replicated_block="b"),
    ]
    project = write_project(tmp_path, blocks, {"a": LOADER})
    assert {each.path for each in project.pipeline("p").blocks} == {tmp_path / "data_loaders/a.py"}


@pytest.mark.parametrize(
    ("replicated", "message"),
    [("lod", "Did you mean 'load'"), ("b", "which replicates it")],
)
def test_a_replicated_block_without_an_original_is_an_error(tmp_path, replicated, message):
    blocks = [block("load", "data_loader"), block("b", "data_loader", replicated_block=replicated)]
    project = write_project(tmp_path, blocks, {"load": LOADER})
    with pytest.raises(ConfigError, match=message):
        project.pipeline("p")


def test_a_linked_folder_of_blocks_is_followed(tmp_path):
    project = write_project(tmp_path / "project", [block("a", "data_loader")], {"a": LOADER})
    (tmp_path / "project/data_loaders").rename(tmp_path / "shared")
    (tmp_path / "project/data_loaders").symlink_to(tmp_path / "shared")
    assert mage_project.run("p", project=project.root).error is None


def test_a_link_that_leads_nowhere_is_named(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader")], {})
    (tmp_path / "data_loaders").symlink_to("elsewhere")
    with pytest.raises(ConfigError, match="data_loaders is a link to elsewhere, which is not there"):
        project.pipeline("p")


def test_a_callback_that_the_pipeline_does_not_list_is_a_warning(tmp_path):
    write_project(tmp_path, [block("a", "data_loader")], {"a": LOADER})
    (message,) = problems(tmp_path, {"blocks": [block("a", "data_loader", callback_blocks=["tell"])]})
    assert "names the callback 'tell', which is not among the pipeline's callbacks" in message
    assert Project(tmp_path).pipeline("p").block("a").callbacks == ()


def test_a_missing_callback_is_a_warning_and_a_missing_condition_an_error(tmp_path):
    write_project(tmp_path, [block("a", "data_loader")], {"a": LOADER})
    addons = {"callbacks": [block("q", "callback", "a")], "conditionals": [block("r", "conditional", "a")]}
    write_pipeline(tmp_path, yaml.safe_dump({"blocks": [block("a", "data_loader")], **addons}))
    found = Project(tmp_path).inspect("p")[1]
    assert [(each.message, each.warning) for each in found] == [
        ("block 'q' has no file callbacks/q.py.", True),
        ("block 'r' has no file conditionals/r.py.", False),
    ]


def test_a_block_cannot_be_dynamic_and_reduce(tmp_path):
    write_project(tmp_path, [block("a", "data_loader")], {"a": LOADER})
    both = {"dynamic": True, "reduce_output": True}
    (message,) = problems(tmp_path, {"blocks": [block("a", "data_loader", configuration=both)]})
    assert "is dynamic (its readers run once for each item) and reduces its output" in message


def test_unquoted_jinja_in_a_pipeline_is_named_with_its_line(tmp_path):
    write_pipeline(tmp_path, "blocks: []\nvariables:\n  bucket: {{ env_var('BUCKET') }}\n")
    with pytest.raises(ConfigError, match="not valid YAML") as caught:
        Project(tmp_path).pipeline("p")
    assert "metadata.yaml:3" in str(caught.value)
    assert "quote the value" in str(caught.value)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda source: source.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda source: b"\xef\xbb\xbf" + source, id="byte order mark"),
        pytest.param(lambda source: b"\xef\xbb\xbf" + source.replace(b"\n", b"\r\n"), id="both"),
    ],
)
def test_files_that_were_edited_on_windows_run(tmp_path, changed):
    root = tmp_path / "project"
    tested = LOADER + "\n@test\ndef check(one):\n    '''two\n    lines'''\n    assert one == 1\n"
    project = write_project(root, [block("a", "data_loader")], {"a": tested})
    for path in [*root.rglob("*.py"), *root.rglob("*.yaml")]:
        path.write_bytes(changed(path.read_bytes()))
    record = mage_project.run("p", project=project.root)
    assert (record.error, [test.passed for test in record.block("a").tests]) == (None, [True])


def test_project_files_that_a_run_does_not_need_may_be_missing_or_full_of_jinja(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader")], {"a": LOADER})
    assert not (tmp_path / "metadata.yaml").exists()
    assert mage_project.run("p", project=project.root).error is None
    (tmp_path / "metadata.yaml").write_text("project_type: standalone\nremote_variables_dir: {{ env_var('WHERE') }}\n")
    assert mage_project.run("p", project=project.root).error is None


def test_another_pipeline_runs_beside_one_with_a_missing_block(tmp_path):
    write_project(tmp_path, [block("a", "data_loader")], {"a": LOADER})
    write_pipeline(tmp_path, yaml.safe_dump({"blocks": [block("gone", "data_loader")]}), pipeline="broken")
    assert mage_project.run("p", project=tmp_path).error is None


def test_a_file_source_says_where_a_block_lies_that_is_not_at_its_place(tmp_path):
    elsewhere = {"file_source": {"path": "lib/a.py"}}
    project = write_project(tmp_path, [block("a", "data_loader", configuration=elsewhere)], {})
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/a.py").write_text(LOADER)
    assert project.pipeline("p").block("a").path == tmp_path / "lib/a.py"
