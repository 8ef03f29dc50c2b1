"""What a block's file shows of what it touches."""

from __future__ import annotations

import pytest

from mage_project.project import Block
from mage_project.runner.effects import BIGQUERY, HTTP, PATHS, POSTGRES, PROCESS, UNSEEN, effects_of

POSTGRES_IMPORT = "from mage_ai.io.postgres import Postgres\n"
BIGQUERY_IMPORT = "from mage_ai.io.bigquery import BigQuery\n"


def of(tmp_path, source, kind="data_loader", **more):
    path = tmp_path / "it.py"
    path.write_text(source)
    return effects_of(Block(uuid="it", type=kind, path=path, **more))


@pytest.mark.parametrize(
    ("source", "kind", "reads", "writes"),
    [
        ("import pandas as pd\npd.DataFrame({})", "data_loader", set(), set()),
        ("import pandas as pd\npd.read_csv('x')", "data_loader", {HTTP, PATHS}, set()),
        ("import requests\nrequests.get('x')", "data_loader", {HTTP}, set()),
        ("import requests\nrequests.post('x')", "data_loader", set(), {HTTP}),
        ("import pandas as pd\npd.DataFrame().to_parquet('x')", "data_exporter", {PATHS}, {PATHS}),
        (POSTGRES_IMPORT + "Postgres().load('x')", "data_loader", {POSTGRES}, set()),
        (POSTGRES_IMPORT + "Postgres().execute('x')", "data_loader", {POSTGRES}, {POSTGRES}),
        (POSTGRES_IMPORT + "Postgres().export(1)", "data_exporter", {POSTGRES}, {POSTGRES}),
        (BIGQUERY_IMPORT + "BigQuery().load('x')", "data_loader", {BIGQUERY, PATHS}, set()),
        (BIGQUERY_IMPORT + "BigQuery().execute('x')", "data_exporter", {BIGQUERY, PATHS}, {BIGQUERY}),
        (BIGQUERY_IMPORT + "BigQuery().export(1, 'x')", "data_exporter", {BIGQUERY}, {BIGQUERY}),
        ("from mage_ai.io.file import FileIO\nFileIO().load('x')", "data_loader", {HTTP, PATHS}, {PATHS}),
        ("from os import path\npath.join('a', 'b')", "data_exporter", set(), set()),
        ("import os\nos.environ['X'] = 'y'", "data_exporter", set(), {PROCESS}),
        ("import os\nos.environ.setdefault('X', 'y')", "data_exporter", set(), {PROCESS}),
        ("import os\nos.environ.get('X')", "data_loader", {HTTP}, set()),
        ("from os import environ\n'X' in environ and environ['X']", "data_exporter", set(), set()),
        ("from os import environ as env\nenv['X'] = 'y'", "data_exporter", set(), {PROCESS}),
        ("import os\nenv = os.environ\nenv['X'] = 'y'", "data_exporter", set(), {PROCESS}),
        ("from decimal import getcontext\ngetcontext().prec = 5", "transformer", set(), {PROCESS}),
        ("import pandas as pd\npd.ExcelFile('x')", "data_loader", {HTTP, PATHS}, set()),
        ("import numpy as np\nnp.load('x')", "data_loader", {HTTP, PATHS}, set()),
        ("import pyarrow as pa\npa.output_stream('x')", "data_loader", {PATHS}, {PATHS}),
        ("import pandas as pd\npd.options.display.width = 7", "transformer", set(), {PROCESS}),
        ("import pandas as pd\npd.DataFrame.mine = 7", "transformer", set(), {PROCESS}),
        ("import numpy as np\nnp.random.seed(7)", "transformer", set(), {PROCESS}),
        ("def t(df):\n    return df.sample(3)", "transformer", set(), {PROCESS}),
        ("if 'transformer' not in globals():\n    pass", "transformer", set(), set()),
    ],
)
def test_what_a_file_reads_and_writes_is_seen(tmp_path, source, kind, reads, writes):
    found = of(tmp_path, source, kind)
    assert (set(found.reads), set(found.writes)) == ({PROCESS, *reads}, writes)


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "import os\nos.system('x')",
        "from os import remove",
        "from my_project.utils import x",
        "from . import x",
        "open('x')",
        "exec('x')",
        "def load(*args, **kwargs):\n    kwargs['context']['x'] = 1",
        "def load(context, **kwargs):\n    pass",
        "from mage_ai.data_preparation.variable_manager import set_global_variable",
        "from mage_ai.orchestration.triggers.api import trigger_pipeline",
        "import pandas as pd\ngetattr(pd, 'set_option')('x', 1)",
        "this is no Python",
    ],
)
def test_a_file_that_can_do_anything_is_kept_in_its_place(tmp_path, source):
    assert of(tmp_path, source) == UNSEEN


@pytest.mark.parametrize("kind", ["custom", "sensor", "dbt"])
def test_so_are_blocks_of_which_that_is_not_known(tmp_path, kind):
    assert of(tmp_path, "", kind) == UNSEEN


def test_what_the_pipeline_says_counts(tmp_path):
    free = of(tmp_path, "import subprocess", configuration={"side_by_side": True})
    kept = of(tmp_path, "", configuration={"side_by_side": False})
    assert (free.hinder(UNSEEN), kept) == (False, UNSEEN)


def test_a_block_in_a_process_of_its_own_shares_none(tmp_path):
    found = of(tmp_path, "import os\nos.environ['X'] = 'y'", in_process=True)
    assert not found.hinder(of(tmp_path, "import pandas"))


def test_a_sql_block_waits_for_one_that_sets_the_environment(tmp_path):
    query = of(tmp_path, "SELECT 1", language="sql")
    assert query.hinder(of(tmp_path, "import os\nos.environ['POSTGRES_HOST'] = 'y'"))
    assert not query.hinder(of(tmp_path, "import requests\nrequests.get('x')"))
