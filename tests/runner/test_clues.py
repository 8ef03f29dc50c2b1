"""The commonest mistakes in a block are told with what to do about them."""

from __future__ import annotations

import re

import pytest

from mage_project.runner.running import run_pipeline
from tests.projects import block, write_project

TRIPS = """
import pandas as pd

@data_loader
def load(**kwargs):
    return pd.DataFrame({"vendor_id": [1], "fare": [2.0]})
"""


def said(tmp_path, body, *, load=TRIPS, top=""):
    """What is said of a transformer with this body."""
    indented = body.replace("\n", "\n    ")
    code = f"{top}\n@transformer\ndef t(df, *args, **kwargs):\n    {indented}\n"
    blocks = [block("load", "data_loader"), block("t", "transformer", "load")]
    return run_pipeline(write_project(tmp_path, blocks, {"load": load, "t": code}), "p", {"service": "a"}).error


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("return kwargs['servise']", r"'servise' is not a variable of this run \(there are: .*service\). "
                                     r"Did you mean 'service'\? Give it: --var servise=\.\.\."),
        ("return df['VendorId']", r"the columns of df are: vendor_id, fare. Did you mean 'vendor_id'\?"),
        ("return df[['vendor_id', 'fares']]", r"the columns of df are: .* Did you mean 'fare'\?"),
        ("return df.drop(columns=['fares'])", r"the columns of df are: .* Did you mean 'fare'\?"),
        ("zones = df.rename(columns={'fare': 'tip'})\nreturn df.merge(zones, on='tip')",
         r"the columns of df are: vendor_id, fare\."),
        ("return df.vendorid", r"the columns are: vendor_id, fare. Did you mean 'vendor_id'\?"),
        ("import os\nreturn os.environ['NO_SUCH_THING']", r"NO_SUCH_THING is no environment variable here: set it"),
        ("return pd.DataFrame()", r"write at the top of the file: import pandas as pd"),
        ("return datetime.now()", r"write at the top of the file: from datetime import datetime"),
    ],
    ids=["variable", "column", "columns", "drop", "merge", "attribute", "environment", "alias", "class"],
)  # fmt: skip
def test_a_common_mistake_is_told_with_what_to_do(tmp_path, body, hint):
    assert re.search(rf"\n  next:  {hint}", said(tmp_path, body))


@pytest.mark.parametrize("body", ["return df.head()", "return df['fare']", "return [row for row in df['fare']]"])
def test_an_upstream_block_that_returned_nothing_is_named(tmp_path, body):
    error = said(tmp_path, body, load="@data_loader\ndef load(**kwargs):\n    pass\n")
    assert "next:  the upstream block 'load' returned nothing, so df is []: has it a `return`?" in error


@pytest.mark.parametrize("body", ["return {'a': 1}['b']", "return nobody_knows_this", "return df['fare'].nothing"])
def test_of_other_mistakes_nothing_is_guessed(tmp_path, body):
    assert "next:" not in said(tmp_path, body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("from urllib.request import urlopen\nreturn urlopen('http://127.0.0.1:9/taxi?api_key=SECRET')",
         r"URLError: .*refused> \(http://127\.0\.0\.1:9/taxi\)\n"),
        ("import requests\nreturn requests.get('http://127.0.0.1:9/taxi?api_key=SECRET')",
         r"ConnectionError: .*host='127\.0\.0\.1'.*/taxi\?api_key=\*\*\* "),
    ],
    ids=["urllib", "requests"],
)  # fmt: skip
def test_a_server_that_cannot_be_reached_is_named_with_the_class_of_the_error(tmp_path, body, told):
    error = said(tmp_path, body)
    assert re.match(told, error)
    assert "SECRET" not in error
