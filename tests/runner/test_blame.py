"""What a failed run says: the line of the user's own file, and what to do next."""

from __future__ import annotations

import pytest

from mage_project.cli.inspection import problems_of
from mage_project.runner.running import run_pipeline
from mage_project.runner.single import run_block
from tests.projects import block, write_project

LOAD = "@data_loader\ndef load(*args, **kwargs):\n    return 1\n"


def failure(tmp_path, code, *, load=LOAD, **more):
    """What is said of a pipeline whose second block is `code`."""
    blocks = [block("load", "data_loader"), block("t", "transformer", "load", **more)]
    return run_pipeline(write_project(tmp_path, blocks, {"load": load, "t": code}), "p").error


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("\n@transformer\ndef t():\n    return 1\n", 2),
        ("@preprocesser\ndef before():\n    pass\n@transformer\ndef t(n):\n    return n\n", 1),
        ("@transformer\ndef t(n):\n    return n\n@test\ndef check():\n    pass\n", 4),
    ],
    ids=["block", "preprocesser", "test"],
)
def test_where_a_call_itself_fails_the_function_is_named(tmp_path, code, line):
    said = failure(tmp_path, code)
    assert f"where: block 't', transformers/t.py:{line} in " in said
    assert "takes 0 positional arguments but 1 was given" in said


def test_a_function_that_takes_too_little_is_told_what_it_is_given(tmp_path):
    assert "next:  its function is given 1 by position (load)" in failure(
        tmp_path, "@transformer\ndef t():\n    pass\n"
    )


def test_a_block_that_does_what_none_may_is_named_with_its_function(tmp_path):
    said = failure(tmp_path, "import os\n\n@transformer\ndef t(n):\n    yield n\n")
    assert "where: block 't', transformers/t.py:3 in t" in said


def test_a_failed_test_names_its_line_and_the_command_that_shows_the_output(tmp_path):
    said = failure(tmp_path, "@transformer\ndef t(n):\n    return n\n\n@test\ndef is_two(n):\n    assert n == 2\n")
    assert "where: block 't', transformers/t.py:5 in is_two" in said
    assert f"mage-project block t --project {tmp_path} --pipeline p" in said


def test_a_missing_module_is_told_with_the_package_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "bs4", None)
    said = failure(tmp_path, "import bs4\n@transformer\ndef t(n):\n    return n\n")
    assert "-m pip install beautifulsoup4" in said


def test_a_project_that_calls_itself_by_another_name_is_told_how_to_get_it(tmp_path):
    (tmp_path / "utils").mkdir()
    (tmp_path / "utils" / "trips.py").touch()
    said = failure(tmp_path, "from her_project.utils.trips import x\n@transformer\ndef t(n):\n    return n\n")
    assert f"elsewhere: ln -s {tmp_path} {tmp_path.with_name('her_project')}" in said


def test_what_is_not_there_of_mage_is_not_to_be_installed(tmp_path):
    said = failure(tmp_path, "import mage_ai.orchestration.nothing\n@transformer\ndef t(n):\n    return n\n")
    assert "No module named 'mage_ai.orchestration" in said
    assert "pip install" not in said


def test_a_missing_module_of_the_project_is_not_looked_for_elsewhere(tmp_path):
    (tmp_path / "shop").mkdir()
    said = failure(tmp_path, "import shop.orders\n@transformer\ndef t(n):\n    return n\n")
    assert "next:  the project has a folder shop, but no shop/orders.py in it" in said


def test_a_secret_of_the_profile_is_not_told_when_a_block_raises_with_it(tmp_path):
    (tmp_path / "io_config.yaml").write_text("default:\n  POSTGRES_PASSWORD: swordfish-7\n")
    said = failure(
        tmp_path,
        """
        from mage_ai.io.config import ConfigFileLoader
        from mage_ai.settings.repo import get_repo_path

        @transformer
        def t(n):
            password = ConfigFileLoader(get_repo_path() + "/io_config.yaml", "default")["POSTGRES_PASSWORD"]
            raise ValueError(f"no entry with {password} at postgres://me:{password}@host")
        """,
    )
    assert "no entry with *** at postgres://me:***@host" in said


def test_places_are_told_from_the_project_s_root(tmp_path):
    (tmp_path / "io_config.yaml").write_text("default: {}\n")
    code = "from mage_ai.io.config import ConfigFileLoader\n@transformer\ndef t(n):\n    ConfigFileLoader(PATH, 'x')\n"
    said = failure(tmp_path, code.replace("PATH", repr(str(tmp_path / "io_config.yaml"))))
    assert "where: block 't', transformers/t.py:4 in t, io_config.yaml" in said


def test_an_error_of_google_s_client_is_one_line(tmp_path):
    code = """
    from google.api_core.exceptions import BadRequest

    @transformer
    def t(n):
        raise BadRequest("POST https://x.invalid/jobs?a=1: no such column\\n\\nLocation: US\\nJob ID: 1-2-3\\n")
    """
    assert failure(tmp_path, code).startswith("BadRequest: 400 no such column\n")


def test_a_missing_object_is_named_where_a_client_of_google_s_only_tells_its_address(tmp_path):
    code = """
    from google.api_core.exceptions import NotFound

    @transformer
    def t(n):
        raise NotFound("GET http://x.invalid/storage/v1/b/lake/o/a%2Fb.csv?alt=media: Not Found : ('Request')")
    """
    assert failure(tmp_path, code).startswith("NotFound: there is no object gs://lake/a/b.csv, or no such bucket\n")


def test_a_block_alone_without_kept_inputs_is_told_with_the_project(tmp_path):
    blocks = [block("load", "data_loader"), block("t", "transformer", "load")]
    project = write_project(tmp_path, blocks, {"load": LOAD, "t": "@transformer\ndef t(n):\n    return n\n"})
    with pytest.raises(Exception, match=f"mage-project run p --project {tmp_path}"):
        run_block(project, "t", {})


def test_a_file_that_is_not_utf_8_is_named_with_the_line(tmp_path):
    project = write_project(tmp_path, [block("load", "data_loader")], {"load": LOAD})
    (tmp_path / "data_loaders/load.py").write_bytes(LOAD.replace("1", "'caf\xe9'").encode("latin-1"))
    said = (
        "the file of block 'load' is not UTF-8 text\n  where: data_loaders/load.py:3\n  next:  save the file as UTF-8"
    )
    assert run_pipeline(project, "p").error == said
    (problem,) = problems_of(project, "p")
    assert (problem.line, problem.hint) == (3, "save the file as UTF-8")
