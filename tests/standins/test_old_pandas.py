"""Blocks written for older pandas: they give what they gave, and are told what to write instead."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.standins.conftest import RunCode

START = """
import io
from datetime import datetime
import pandas as pd
TEXT = "x,d\\n1,2020-01-31 10:00\\n2,2020-02-03 11:30\\n"
@data_loader
def load(*args, **kwargs):
    df = pd.DataFrame({"x": [1.0, None, 3.0], "s": ["a", "b", None]})
    days = pd.Series(pd.to_datetime(["2020-01-31 10:20", "2020-02-03 11:30"]))
"""
EXPRESSIONS = {
    "df.append(df, ignore_index=True).x.tolist()[3:]": "[1.0, float('nan'), 3.0]",
    "df.append({'x': 7.0, 's': 'z'}, ignore_index=True).s.tolist()[2:]": "[None, 'z']",
    "df.append([df, df]).shape": "(9, 2)",
    "df.x.append(pd.Series([9.0])).tolist()[3:]": "[9.0]",
    "df.applymap(str).s.tolist()[0]": "'a'",
    "[name for name, _ in df.iteritems()]": "['x', 's']",
    "df.x.mad()": "1.0",
    "days.dt.week.tolist()": "[5, 6]",
    "days.is_monotonic": "True",
    "pd.value_counts(df.x).to_dict()": "{1.0: 1, 3.0: 1}",
    "df.fillna(method='ffill').x.tolist()": "[1.0, 1.0, 3.0]",
    "df.x.fillna(method='bfill').tolist()": "[1.0, 3.0, 3.0]",
    "pd.to_datetime(pd.Series(['2020-01-01']), infer_datetime_format=True)[0].day": "1",
    "pd.to_numeric('abc', errors='ignore')": "'abc'",
    "days.dt.floor('H').dt.minute.tolist()": "[0, 0]",
    "days.to_frame('d').resample('M', on='d').size().tolist()": "[1, 1]",
    "days.to_frame('d').groupby(pd.Grouper(key='d', freq='2D')).size().sum()": "2",
    "df.groupby('s').apply(lambda group: group['s'].iloc[0] * 2).tolist()": "['aa', 'bb']",
    "df.groupby('s').apply(lambda group: group[['s', 'x']].shape).tolist()": "[(1, 2), (1, 2)]",
    "df.groupby('s').apply(lambda group: group.s.max()).tolist()": "['a', 'b']",
    "len(pd.date_range('2020-01-01', periods=3, freq='M'))": "3",
    "pd.read_csv(io.StringIO(TEXT), parse_dates=['d'], date_parser=pd.to_datetime).d.dt.month.tolist()": "[1, 2]",
    "pd.read_csv(io.StringIO(TEXT), parse_dates=['d'], date_parser=lambda x: datetime.strptime(x, '%Y-%m-%d %H:%M'))"
    ".d.dt.hour.tolist()": "[10, 11]",
    "pd.read_csv(io.StringIO(TEXT), parse_dates=['d'], infer_datetime_format=True).d.dt.day.tolist()": "[31, 3]",
    "pd.read_csv(io.StringIO('a,b\\n2020-01-01,10:00\\n'), parse_dates={'t': ['a', 'b']}).t[0].hour": "10",
    "pd.read_csv(io.StringIO('a b\\n1   2\\n'), delim_whitespace=True).b[0]": "2",
    "pd.read_csv(io.StringIO('a\\n1\\n'), squeeze=True).tolist()": "[1]",
    "pd.read_csv(io.StringIO('a,b\\n1,2\\n1,2,3\\n'), error_bad_lines=False, warn_bad_lines=False).shape": "(1, 2)",
    "pd.read_csv(io.StringIO('a;b\\n1;2\\n'), ';').b[0]": "2",
}
#: Old ways that are today's as well, and need no word.
SILENT = ["2D"]


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS.items(), ids=EXPRESSIONS)
def test_what_pandas_dropped_gives_what_it_gave(run_code: RunCode, expression: str, value: str) -> None:
    code = START + f"    assert str({expression}) == str({value}), {expression}\n"
    record, _ = run_code(code, local=False)
    assert record.error is None
    if not any(word in expression for word in SILENT):
        assert "gone from pandas" in record.warnings[0]


STATEMENTS = {
    "df['x'].fillna(0, inplace=True)": "[1.0, 0.0, 3.0]",
    "df.x.fillna(0, inplace=True)": "[1.0, 0.0, 3.0]",
    "df['x'].fillna(method='ffill', inplace=True)": "[1.0, 1.0, 3.0]",
    "df['x'].replace(1.0, 5.0, inplace=True)": "[5.0, float('nan'), 3.0]",
    "df['x'].clip(upper=2.0, inplace=True)": "[1.0, float('nan'), 2.0]",
    "df['x'][df.s == 'b'] = 2.0": "[1.0, 2.0, 3.0]",
    "df['x'][1:] = 2.0": "[1.0, 2.0, 2.0]",
    "df['x'].loc[1] = 2.0": "[1.0, 2.0, 3.0]",
    "df.x.iloc[0] = 2.0": "[2.0, float('nan'), 3.0]",
    "for name in ['x']: df[name].fillna(0, inplace=True)": "[1.0, 0.0, 3.0]",
}


@pytest.mark.parametrize(("statement", "x"), STATEMENTS.items(), ids=STATEMENTS)
def test_changing_a_frame_through_its_column_reaches_the_frame(run_code: RunCode, statement: str, x: str) -> None:
    record, _ = run_code(START + f"    {statement}\n    assert str(df.x.tolist()) == str({x}), df.x\n", local=False)
    assert record.error is None
    assert record.warnings
    assert "(line 10 of theirs.py)" in record.warnings[0]


WIDENED = {
    "df.loc[0, 'x'] = 'none'": "['none', float('nan'), 3.0]",
    "df.iloc[2, 0] = 'none'": "[1.0, float('nan'), 'none']",
    "df.at[2, 'x'] = 'none'": "[1.0, float('nan'), 'none']",
    "df['x'] = [1, 2, 3]; df.loc[df.s == 'b', 'x'] = 2.5": "[1.0, 2.5, 3.0]",
}


@pytest.mark.parametrize(("statement", "x"), WIDENED.items(), ids=WIDENED)
def test_a_value_of_another_type_widens_its_column(run_code: RunCode, statement: str, x: str) -> None:
    record, _ = run_code(START + f"    {statement}\n    assert str(df.x.tolist()) == str({x}), df.x\n", local=False)
    assert record.error is None
    assert "(line 10 of theirs.py): write df[column].astype(...)" in record.warnings[0]


OTHERS = """
    import os
    class Thing:
        values = {}
    thing, tree, grid = Thing(), {"a": {"b": 1}}, [[1, 2], [3, 4]]
    thing.values["x"] = 1
    tree["a"]["b"] = 2
    grid[0][1] = 9
    grid[1][:] = [0]
    os.environ["OF_A_TEST"] = "1"
    column = df["x"]
    column.fillna(0, inplace=True)
    column[0] = 5.0
    assert (thing.values, tree, grid) == ({"x": 1}, {"a": {"b": 2}}, [[1, 9], [0]])
    assert os.environ.pop("OF_A_TEST") == "1"
    assert df.x.isna().sum() == 1
"""


def test_what_means_something_else_is_left_alone(run_code: RunCode) -> None:
    record, _ = run_code(START + OTHERS, local=False)
    assert (record.error, record.warnings) == (None, [])


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    "statement", ["df[df.s == 'a']['x'] = 5.0", "df[['x']].fillna(0, inplace=True)", "df.loc[:1]['x'] = 5.0"]
)
def test_a_change_that_is_lost_in_mage_too_is_a_warning_with_its_place(run_code: RunCode, statement: str) -> None:
    record, _ = run_code(START + f"    {statement}\n    assert str(df.x.tolist()) == '[1.0, nan, 3.0]'\n", local=False)
    assert record.error is None
    assert "this changes a copy, so the frame stays as it is (line 10 of theirs.py)" in record.warnings[0]


def test_after_the_run_pandas_is_as_it_was(run_code: RunCode) -> None:
    before = (pd.read_csv, pd.to_datetime, pd.date_range)
    assert run_code(START + "    df.append(df)\n", local=False)[0].error is None
    assert (pd.read_csv, pd.to_datetime, pd.date_range) == before
    assert not hasattr(pd.DataFrame, "append")


def test_text_is_what_it_is_in_mage(run_code: RunCode) -> None:
    code = START + "    texts = pd.DataFrame({'flag': ['N', None]})\n    assert texts.flag.fillna(-1).dtype == object\n"
    assert run_code(code, local=False)[0].error is None
    assert pd.DataFrame({"flag": ["N"]}).flag.dtype == "str"


def test_texts_of_an_arrow_table_are_objects_too(run_code: RunCode) -> None:
    code = START + "    import pyarrow as pa\n    texts = pa.table({'s': ['a', None], 'n': [1, 2]}).to_pandas()\n"
    code += "    assert texts.s.tolist() == ['a', None] and texts.dtypes.astype(str).tolist() == ['object', 'int64']\n"
    assert run_code(code + "    assert texts.columns.dtype == object\n", local=False)[0].error is None
