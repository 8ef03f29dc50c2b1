"""Calls of Mage's helpers for both runners: module, function and arguments."""

from __future__ import annotations

from typing import Any

NESTED = {"run": {"blocks": [{"name": "a", "rows": 1}, {"name": "b"}], "none": None}, "n": float("nan"), "k": 1}

CALLS: list[tuple[str, str, list[Any], dict[str, Any]]] = [
    *[("hash", name, [NESTED, path], {}) for name in ("dig", "safe_dig")
      for path in ("run.blocks[1].name", "run.blocks[0]", ["run", "blocks[1]", "rows"], "k", "run.none.x", "zz.y")],
    ("hash", "safe_dig", [NESTED, "run.blocks[9].name"], {}),
    ("hash", "camel_case_keys_to_snake_case", [{"blockRun": {"pipelineUUID": 1}, "allIn": [{"xY": 1}, 2]}], {}),
    ("hash", "flatten", [{"a": {"b": {"c": {"d": 1}}, "e": 2}, "f": 3}], {}),
    ("hash", "flatten_dict", [{"a": {"b": {"c": {"d": 1}}, "e": 2}, "f": 3}], {"sep": "/"}),
    ("hash", "unflatten_dict", [{"a.b.c": 1, "a.d": 2, "e": 3}], {}),
    ("hash", "get_json_value", ['{"a": {"b": 1}}', "a.b"], {}),
    ("hash", "get_json_value", ["no json", "a"], {}),
    ("hash", "get_json_value", ["", "a"], {}),
    ("hash", "ignore_keys", [{"a": 1, "b": 2}, ["a", "z"]], {}),
    ("hash", "ignore_keys_with_blank_values", [{"a": 0, "b": "", "c": 1}], {}),
    ("hash", "ignore_keys_with_blank_values", [{"a": 0, "b": "", "c": 1}], {"include_values": [0]}),
    ("hash", "extract", [{"a": 0, "b": None, "c": 1}, ["a", "b", "z"]], {}),
    ("hash", "extract", [{"a": 0, "b": None, "c": 1}, ["a", "b", "z"]], {"include_blank_values": True}),
    ("hash", "extract_arrays", [{"a": [1], "b": 2, "c": [3]}], {}),
    ("hash", "merge_dict", [{"a": 1, "b": 2}, {"b": 3}], {}),
    ("hash", "merge_dict", [None, {"b": 3}], {}),
    ("hash", "merge_dict", [{"a": 1}, None], {}),
    ("hash", "get_safe_value", [None, "a", 1], {}),
    ("hash", "set_value", [{"a": {"b": 1}}, ["a", "c", "d"], 5], {}),
    ("hash", "set_value", [{}, ["a"], 5], {}),
    ("array", "difference", [[1, 2, 2, 3], [3, 4]], {}),
    ("array", "flatten", [[[1], [2, 3]]], {}),
    ("array", "subtract", [[1, 2, 3], [2]], {}),
    ("array", "is_iterable", ["text"], {}),
    ("array", "is_iterable", [{"a": 1}], {"exclude_dicts": False}),
    ("array", "is_iterable", [[1]], {}),
    ("strings", "is_json", ['{"a": 1}'], {}),
    ("strings", "is_json", ["[1]"], {}),
    ("strings", "is_json", ["x"], {}),
    *[("strings", "camel_to_snake_case", [name], {}) for name in ("blockRunID", "HTTPServer", "a__B", "x1Y", "plain")],
    ("strings", "classify", ["block_run id"], {}),
    *[("strings", "is_number", [value], {}) for value in (None, "1.5", "x", "1e3", 2, "")],
    *[("strings", "string_to_number", [value], {}) for value in ("1", "1.5", "x")],
    *[("strings", "replacer", ["abc", "X", place], {"nofail": True}) for place in (-1, 0, 2, 3, 9)],
    *[("strings", "remove_extension_from_filename", [name], {}) for name in ("a/b.tar.gz", "b.py", "a.b/c")],
    ("strings", "capitalize_remove_underscore_lower", ["block_RUN"], {}),
    ("strings", "to_ordinal_integers", ["abz"], {}),
    ("strings", "size_of_string", ["né"], {}),
    *[("utils", "clean_name", [name], {}) for name in
      ("Trip distance", "1st", "a$b\"c", "Ünï-x", "", "a.b/c", "\ufeffid")],
    ("utils", "clean_name", ["1 a/b"], {"allow_characters": ["/"], "allow_number": True, "case_sensitive": True}),
    *[("utils", "convert_pandas_dtype_to_python_type.__name__", [kind], {}) for kind in
      ("int64", "float32", "bool", "datetime64[ns]", "object")],
    *[("dates", "str_to_timedelta.seconds", [period], {}) for period in ("7d", "12h", "2w")],
    *[("dates", "week_of_month", [day], {}) for day in ("2020-10-01", "2020-10-03", "2020-10-04", "2020-10-31",
      "2020-11-01", "2021-05-31", "2020-02-29")],
    ("environments", "get_env", [], {}),
    ("io.export_utils", "gen_table_creation_query", [{"A b": "TEXT", "n": "BIGINT"}, "ny", "trips"],
     {"unique_constraints": ["A b"], "overwrite_types": {"n": "INT"}}),
    ("io.export_utils", "gen_table_creation_query", [{"A b": "TEXT"}, None, "trips"],
     {"auto_clean_name": False, "skip_semicolon_at_end": True}),
]  # fmt: skip
