import pytest

from mage_project.errors import ConfigError, UsageError
from mage_project.project import Project
from tests.projects import block, write_pipeline, write_project

LOADER = "@data_loader\ndef load():\n    return 1\n"


def test_a_block_without_a_language_is_python(tmp_path):
    write_project(tmp_path, [{"uuid": "a", "type": "data_loader"}], {"a": LOADER})
    found = Project(tmp_path).pipeline("p").block("a")
    assert (found.language, found.path) == ("python", tmp_path / "data_loaders" / "a.py")


def test_a_stale_file_source_is_ignored_when_the_file_is_where_type_and_uuid_say(tmp_path):
    stale = {"file_source": {"path": "elsewhere/a.py"}}
    write_project(tmp_path, [block("a", "data_loader", configuration=stale)], {"a": LOADER})
    assert Project(tmp_path).pipeline("p").block("a").path == tmp_path / "data_loaders" / "a.py"


def test_a_file_source_outside_of_the_project_is_not_followed(tmp_path):
    (tmp_path / "secret.py").write_text(LOADER)
    root = tmp_path / "project"
    outside = {"file_source": {"path": "../secret.py"}}
    write_project(root, [block("a", "data_loader", configuration=outside)], {})
    with pytest.raises(ConfigError, match=r"no file data_loaders/a\.py"):
        Project(root).pipeline("p")


def test_an_unknown_pipeline_gets_a_suggestion(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader")], {"a": LOADER}, pipeline="green_taxis")
    with pytest.raises(UsageError, match="Did you mean 'green_taxis'"):
        project.pipeline("green_taxi")


def test_a_folder_without_pipelines_is_not_a_project(tmp_path):
    with pytest.raises(UsageError, match="not a Mage project"):
        Project(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("blocks:\n- uuid: a\n  typo: [\n", 4, "not valid YAML", id="yaml"),
        pytest.param("blocks: []\nvariables:\n  day: 2026-02-30 00:00:00\n", 3, "is read as a date or time", id="date"),
        pytest.param("blocks: []\nvariables: {n: !!int x}\n", 2, "is read as a whole number, and is none", id="int"),
        pytest.param(f"blocks: {'[' * 2900}{']' * 2900}\n", 1, "nested too deeply", id="deep"),
        pytest.param(f"blocks: {'[' * 60_000}{']' * 60_000}\n", 1, "nested too deeply", id="deeper"),
        pytest.param("blocks:\n- uuid: a\n  type: data_loadr\n", 3, "Did you mean 'data_loader'", id="type"),
        pytest.param("blocks:\n- uuid: a\n  type: data_loader\n", 2, "has no file data_loaders/a.py", id="file"),
        pytest.param("blocks:\n- type: data_loader\n", 2, "a block needs 'uuid'", id="uuid"),
        pytest.param("blocks: 7\n", 1, "must be a list", id="list"),
        pytest.param("blocks:\n- 7\n", 2, "not a mapping", id="entry"),
        pytest.param("variables: [1]\nblocks: []\n", 1, "must be a mapping", id="variables"),
        pytest.param("- 1\n", 1, "where a mapping belongs", id="top"),
        pytest.param(
            "blocks: []\n\nvariabels: {}\n",
            3,
            "unknown key 'variabels' of a pipeline. Did you mean 'variables'",
            id="key",
        ),
        pytest.param(
            "blocks:\n- uuid: a\n  type: markdown\n  configuration: {dynamic: {parent: true}}\n",
            2,
            "is a mapping, which Mage reads with DYNAMIC_BLOCKS_VERSION=2",
            id="dynamic",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, text, line, message):
    path = write_pipeline(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        Project(tmp_path).pipeline("p")
    assert message in str(caught.value)
    assert f"{path.relative_to(tmp_path)}:{line}" in str(caught.value)


def test_nothing_is_said_of_a_newer_mages_key_without_a_value(tmp_path):
    write_pipeline(tmp_path, "blocks: []\noverrides: null\n")
    assert Project(tmp_path).inspect("p")[1] == []


def test_a_circle_is_named_block_by_block(tmp_path):
    blocks = [block("a", "transformer", "b"), block("b", "transformer", "a")]
    project = write_project(tmp_path, blocks, {"a": LOADER, "b": LOADER})
    with pytest.raises(ConfigError, match=r"in a circle: (a → b → a|b → a → b)"):
        project.pipeline("p")


def test_an_upstream_block_that_is_not_there_is_a_warning_with_a_suggestion(tmp_path):
    blocks = [block("load", "data_loader"), block("x", "transformer", "lod", "load")]
    pipeline, (problem,) = write_project(tmp_path, blocks, {"load": LOADER, "x": LOADER}).inspect("p")
    assert (problem.warning, pipeline.block("x").upstream, pipeline.block("x").missing) == (True, ("load",), ("lod",))
    assert "Did you mean 'load'" in problem.message
    assert "take 'lod' out" in str(problem.hint)


def test_another_pipelines_mistake_does_not_matter(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader")], {"a": LOADER})
    write_pipeline(tmp_path, "blocks: [\n", pipeline="broken")
    assert project.pipeline("p").uuid == "p"


def test_triggers_are_read(tmp_path):
    project = write_project(tmp_path, [block("a", "data_loader")], {"a": LOADER})
    (tmp_path / "pipelines/p/triggers.yaml").write_text(
        "triggers:\n- name: daily\n  schedule_type: time\n  schedule_interval: 0 5 * * *\n  status: active\n"
    )
    (trigger,) = project.pipeline("p").triggers
    assert (trigger.name, trigger.schedule_interval, trigger.status) == ("daily", "0 5 * * *", "active")


def test_an_empty_file_is_no_pipeline(tmp_path):
    write_pipeline(tmp_path, "")
    with pytest.raises(
        ConfigError, match=r"the file is empty\n  where: pipelines/p/metadata.yaml:1\n  next:  list the"
    ):
        Project(tmp_path).pipeline("p")


def test_a_folder_without_a_metadata_yaml_is_told_apart_from_no_folder(tmp_path):
    (tmp_path / "pipelines/q").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"the folder of pipeline 'q' has no metadata.yaml"):
        Project(tmp_path).pipeline("q")


@pytest.mark.parametrize("name", ["../..", "/etc/passwd", "a/../../b", "..\\x"])
@pytest.mark.parametrize("key", ["uuid", "replicated_block"])
def test_a_name_that_leads_out_of_the_folder_is_refused_whether_or_not_a_file_is_there(tmp_path, key, name):
    (tmp_path / "b.py").write_text(LOADER)
    write_project(tmp_path, [{"uuid": "a", "type": "data_loader", key: name}], {})
    with pytest.raises(ConfigError, match="leads out of the folder of the blocks"):
        Project(tmp_path).pipeline("p")


@pytest.mark.parametrize("typed", ["LOAD", "Laod"])
def test_a_name_in_other_letters_is_suggested_with_the_blocks_there_are(tmp_path, typed):
    blocks = [block("load", "data_loader"), block("x", "transformer", typed)]
    _, (problem,) = write_project(tmp_path, blocks, {"load": LOADER, "x": LOADER}).inspect("p")
    assert "Did you mean 'load'?" in problem.message
    assert "name one of: load" in str(problem.hint)
