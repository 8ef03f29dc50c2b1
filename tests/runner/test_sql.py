"""SQL blocks in Postgres: what they read, what they write, and what they hand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.io.conftest import Database
from tests.projects import block
from tests.runner.sql_projects import run, sql_block


@pytest.fixture
def database(postgres_env: dict[str, str]) -> Iterator[Database]:
    database = Database(postgres_env)
    yield database
    database.close()


NUMBERS = """
import pandas as pd

@data_loader
def load(**kwargs):
    return pd.DataFrame({'n': [1, 2, 3], 'word': ['a', 'b', None]})
"""
LOOK = "@data_exporter\ndef look(value, **kwargs):\n    kwargs['seen'].append(value)\n"


def test_the_output_of_an_upstream_python_block_is_a_table_and_so_is_the_result(tmp_path, database):
    blocks = [block("numbers", "data_loader"), sql_block("double it", "transformer", "numbers", schema=database.schema)]
    record = run(
        tmp_path, blocks, {"numbers": NUMBERS, "double it": "SELECT n * 2 AS twice FROM {{df_1}} WHERE n > 1;"}
    )
    assert record.error is None
    assert database.rows("SELECT * FROM $.dev_p_numbers_v1 ORDER BY 1") == [(1, "a"), (2, "b"), (3, None)]
    assert database.rows("SELECT * FROM $.dev_p_double_it_v1 ORDER BY 1") == [(4,), (6,)]
    assert [(each.rows_in, each.rows_out, each.rows_written) for each in record.blocks] == [(None, 3, None), (3, 2, 2)]
