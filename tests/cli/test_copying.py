"""What `copy` says beside the files that it writes."""

from __future__ import annotations

from click.testing import CliRunner

from mage_project.cli.commands import cli
from tests.projects import block, write_project
from tests.runner.sql_projects import sql_block, write_sql_project

LOAD = "@data_loader\ndef load():\n    return 1\n"


def copied(project, uuid, destination):
    destination.mkdir()
    result = CliRunner().invoke(cli, ["copy", uuid, str(destination), "--project", str(project.root)])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_copied_sql_block_comes_with_what_its_pipeline_needs(tmp_path):
    configuration = {"data_provider_table": "t", "export_write_policy": "replace", "file_source": {"path": "x.sql"}}
    blocks = [block("load", "data_loader"), sql_block("to_t", "data_exporter", "load", **configuration)]
    project = write_sql_project(tmp_path, blocks, {"load": LOAD, "to_t": "SELECT * FROM {{ df_1 }}"})
    said = copied(project, "to_t", tmp_path / "other")
    assert "  data_exporters/to_t.sql\nin its pipeline there, the block needs:\nlanguage: sql\nconfiguration:\n" in said
    assert "  data_provider: postgres\n" in said
    assert "  export_write_policy: replace\n" in said
    assert "upstream_blocks: 1, in the order of df_1...; here load" in said
    assert "file_source" not in said


def test_a_replica_is_copied_as_the_block_that_it_replicates(tmp_path):
    replica = block("again", "data_loader", replicated_block="load")
    project = write_project(tmp_path, [block("load", "data_loader"), replica], {"load": LOAD})
    assert copied(project, "again", tmp_path / "other") == (
        "  data_loaders/load.py\n'again' has no file of its own: it replicates the block 'load', whose file this is\n"
    )
