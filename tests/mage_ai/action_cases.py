"""Frames and actions for both runners; each is a few rows that show one behaviour."""

from __future__ import annotations

from typing import Any

Case = dict[str, Any]

TRIPS: dict[str, list[Any]] = {
    "VendorID": [1, 2, 2, 1, 6, 2],
    "fare": [7.5, None, 12.25, 3.0, 7.5, 80.0],
    "passengers": [1, 2, 5, 1, 3, 1],
    "zone": ["Park", "park ", "", "JFK Airport", None, "Harlem"],
    "flag": ["Y", "N", None, "N", "Y", "N"],
    "pickup": [
        "2020-01-01 00:10",
        "2020-01-01 09:00",
        "2020-01-02 10:00",
        "2020-01-08 10:00",
        "2020-01-09 10:00",
        None,
    ],
    "dropoff": [
        "2020-01-01 00:20",
        "2020-01-01 09:30",
        "2020-01-02 09:00",
        "2020-01-09 10:00",
        "2020-01-09 12:00",
        None,
    ],
}
COLUMN, ROW = "column", "row"


def case(kind: str, axis: str = COLUMN, *, frame: dict[str, list[Any]] | None = None, **given: Any) -> Case:
    """An action on TRIPS, with the times as times."""
    others = {name: given.pop(name) for name in ("other",) if name in given}
    times = ["pickup", "dropoff"] if frame is None else []
    return {"frame": frame or TRIPS, "times": times, "action": {"action_type": kind, "axis": axis, **given}, **others}


def new(name: str, kind: str = "number_with_decimals") -> list[dict[str, str]]:
    return [{"uuid": name, "column_type": kind}]


def udf(name: str, arguments: list[Any], kind: str = "number_with_decimals", **options: Any) -> Case:
    code = options.pop("action_code", "")
    return case(
        "add", arguments=arguments, options={"udf": name, **options}, outputs=new("new", kind), action_code=code
    )


def impute(arguments: list[str], frame: dict[str, list[Any]], **options: Any) -> Case:
    return case("impute", arguments=arguments, frame=frame, options=options)


NAMES = ["VendorID", "PULocationID", "Pickup Date", "trip-distance", "2020", "class", "total.amount",
         "camelCaseName", "CO2", "snake_case",
         " padded ", "$ fare", "UPPER", "Trip_type", "lpep_pickup_datetime", "1st", "A", "Ünï"]  # fmt: skip
NUMBERS = {"a": [5, 1, 4, 1], "b": [1.5, None, 2.5, 3.5], "t": ["x", "", " ", "z"], "c": ["p", "p", "q", None]}
SYNTAX = {
    "email": ["a@b.co", "a@b", "x", None, "z@q.org", "invalid"],
    "phone": ["(212) 555-0100", "12", "212-555-0101", "212 555 0102", None, "+1 212 555 0103"],
    "zip": ["10001", "1", "10002-1234", None, "10003", "99"],
    "amount": ["1", "2.5", "x3", "4", None, "$5"],
    "when": ["2020-01-01", "2020/02/01", "today", "2020-01-04 10:00:00", None, "Jan 5, 2020"],
}
SYNTAX_TYPES = {
    "email": "email", "phone": "phone_number", "zip": "zip_code", "amount": "number", "when": "datetime",
}  # fmt: skip

CASES: dict[str, Case] = {
    "clean names": case("clean_column_name", arguments=NAMES, frame={name: [1, 2, 3] for name in NAMES}),
    "select": case("select", arguments=["zone", "fare"]),
    "remove columns": case("remove", arguments=["zone", "nothing"]),
    "drop duplicates keeps the last": case("drop_duplicate", ROW, arguments=["VendorID"]),
    "drop duplicates keeps the first": case("drop_duplicate", ROW, arguments=["VendorID"], options={"keep": "first"}),
    "remove rows": case("remove", ROW, options={"rows": [1, 3, 99]}),
    "sort": case("sort", ROW, arguments=["fare"]),
    "sort down": case("sort", ROW, arguments=["fare"], options={"ascending": False}),
    "sort by two": case("sort", ROW, arguments=["VendorID", "passengers"], options={"ascendings": [True, False]}),
    "sort texts": case("sort", ROW, arguments=["zone"]),
    "sort numeric texts": case("sort", ROW, arguments=["n"], frame={"n": ["10", "9", "", "1", "22"]}),
    "average": case("average", arguments=["fare"], options={"groupby_columns": ["VendorID"]}, outputs=new("mean")),
    "average of all": case("average", arguments=["fare"], outputs=new("mean")),
    "count": case("count", arguments=["zone"], options={"groupby_columns": ["flag"]}, outputs=new("n")),
    "count distinct": case("count_distinct", arguments=["VendorID"], options={"groupby_columns": ["flag"]},
                           outputs=new("n")),
    "sum of two": case("sum", arguments=["fare", "passengers"], options={"groupby_columns": ["VendorID"]},
                       outputs=[*new("a"), *new("b")]),
    "sum of all": case("sum", arguments=["passengers"], outputs=new("total")),
    "min": case("min", arguments=["fare"], options={"groupby_columns": ["VendorID", "flag"]}, outputs=new("least")),
    "max of all": case("max", arguments=["fare"], outputs=new("most")),
    "median": case("median", arguments=["fare"], options={"groupby_columns": ["VendorID"]}, outputs=new("middle")),
    "first": case("first", arguments=["fare"], options={"groupby_columns": ["VendorID"]}, outputs=new("first")),
    "last": case("last", arguments=["fare"], options={"groupby_columns": ["VendorID"]}, outputs=new("last")),
    "average of some rows": case("average", arguments=["fare"], options={"groupby_columns": ["VendorID"]},
                                 outputs=new("mean"), action_code="passengers < 3"),
    "average in a window": case("average", arguments=["fare"], outputs=new("mean"), options={
        "groupby_columns": ["VendorID"], "timestamp_feature_a": "dropoff", "timestamp_feature_b": "pickup",
        "window": 3600}),
    "average in a window before": case("average", arguments=["fare"], outputs=new("mean"), options={
        "groupby_columns": ["VendorID"], "timestamp_feature_a": "dropoff", "timestamp_feature_b": "pickup",
        "window": -3600}),
    "shift down": case("shift_down", arguments=["passengers"], outputs=new("before")),
    "shift down in groups": case("shift_down", arguments=["passengers"], outputs=new("before"),
                                 options={"groupby_columns": ["VendorID"], "periods": 2}),
    "shift up": case("shift_up", arguments=["passengers"], outputs=new("after")),
    "diff": case("diff", arguments=["passengers"], outputs=new("change")),
    "normalize": case("normalize", arguments=["fare", "passengers"]),
    "standardize": case("standardize", arguments=["fare", "passengers"]),
    "custom script": case("custom", action_code="df['double'] = df['fare'] * 2"),
    "custom functions": case("custom", ROW, action_code=(
        "@transformer_action\ndef a(df):\n\treturn df.head(3)\n@transformer_action\ndef b(df):\n\treturn df.tail(2)")),
    "capitals": case("reformat", arguments=["zone", "fare"], options={
        "reformat": "caps_standardization", "capitalization": "uppercase"}),
    "small letters": case("reformat", arguments=["zone"], options={
        "reformat": "caps_standardization", "capitalization": "lowercase"}),
    "currency": case("reformat", arguments=["m"], options={"reformat": "currency_to_num"},
                     frame={"m": ["$ 5", "7.5€", "Rs 3", "", None, "-$2", "x", "1,000"]}),
    "dates": case("reformat", arguments=["d"], options={"reformat": "date_format_conversion"},
                  frame={"d": ["2020-01-02", "3 / 4 / 2021", "Jan 5, 2020", "2020-01-06 10:00", "x", None]}),
    "trim": case("reformat", arguments=["zone"], options={"reformat": "trim"}),
    "no reformat": case("reformat", arguments=["zone"], options={"reformat": None}),
    "empty frame": case("clean_column_name", arguments=["A b"], frame={"A b": []}),
    "join": case("join", options={"left_on": ["VendorID"], "right_on": ["id"]},
                 other={"id": [1, 2], "vendor": ["CMT", "VeriFone"]}),
    "join of other types": case("join", options={"left_on": ["VendorID"], "right_on": ["id"], "how": "inner",
        "drop_columns": ["id"], "rename_columns": {"vendor": "by"}}, other={"id": ["1", "2"], "vendor": ["a", "b"]}),
    "join with names": case("join", options={"left_on": ["VendorID"], "right_on": ["id"]},
        outputs=[{"uuid": "who", "source_feature": {"uuid": "vendor"}}], other={"id": [1, 2], "vendor": ["a", "b"]}),
    "group": {"frame": TRIPS, "action": {
        "action_type": "group", "axis": COLUMN, "action_arguments": ["VendorID"], "action_options": {},
        "action_variables": {}, "outputs": [], "child_actions": [
            {"action_type": "shift_down", "axis": COLUMN, "action_arguments": ["zone"], "action_options": {},
             "action_variables": {}, "outputs": new("before")}]}},
    "syntax": {"frame": SYNTAX, "action": {
        "action_type": "fix_syntax_errors", "axis": COLUMN, "action_arguments": list(SYNTAX), "action_options": {},
        "action_code": "", "outputs": [], "action_variables": {
            name: {"type": "feature", "feature": {"uuid": name, "column_type": kind}}
            for name, kind in SYNTAX_TYPES.items()}}},
    "placeholders": {"frame": TRIPS, "action": {
        "action_type": "filter", "axis": ROW, "action_code": "%{1_1} == 2 and %{1_2} > 1", "action_arguments": [],
        "action_options": {}, "outputs": [], "action_variables": {
            "1_1": {"type": "feature", "feature": {"uuid": "VendorID", "column_type": "number"}},
            "1_2": {"type": "feature", "feature": {"uuid": "passengers", "column_type": "number"}}}}},
    "types": {"frame": {
        **TRIPS, **SYNTAX, "amounts": ["$1", "$2.5", "3", "4", "5", "6"], "whole": [1.0, 2.0, None, 4.0, 5.0, 6.0],
        "two": [1, 2, 1, 2, 1, 2], "lists": ["[1, 2]", "[3]", "[4]", "x", "[]", None], "none": [None] * 6,
        "truth": [True, False, None, True, True, True], "words": ["a b", "c d", "e f", "g h", "i j", "k l"],
        "postcode": [10001, 10002, 10003, 10004, 10005, 10006], "kinds": ["a", "a", "b", "c", "c", "c"]}},
    "types of times": {"frame": {"at": TRIPS["pickup"]}, "times": ["at"]},
}  # fmt: skip

FILTERS = [
    "fare > 5", "fare >= 7.5 and passengers == 1", "zone contains 'ark'", "zone not contains 'ark'", "zone == null",
    "zone != null", "fare == null", "fare != null", "flag == 'Y' or VendorID == 6", "not (VendorID == 2)",
    "(VendorID == 1 or VendorID == 2) and fare != null", "passengers == VendorID", "flag != 'Y'",
    "pickup >= '2020-01-02'", "'VendorID' == 2", "passengers > 1 & VendorID == 2", "",
]  # fmt: skip
CASES |= {f"filter {code}": case("filter", ROW, action_code=code) for code in FILTERS}
CASES |= {
    f"impute {strategy} {'-'.join(names)}": impute(names, NUMBERS, strategy=strategy)
    for strategy, names in [
        ("average", ["a", "b"]), ("median", ["a", "b"]), ("mode", ["a", "b"]), ("mode", ["t"]),
        ("constant", ["a", "b", "t", "c"]), ("random", ["a"]),
    ]
}  # fmt: skip
CASES |= {
    "impute with a value": impute(["b"], NUMBERS, value=9),
    "impute with a constant": impute(["t"], NUMBERS, strategy="constant", value="?"),
    "impute from a column": impute(["b"], NUMBERS, strategy="column", value="a"),
    "impute in order": impute(["b"], NUMBERS, strategy="sequential", timeseries_index=["a"]),
    "impute whole numbers": impute(["n"], {"n": [1, None, 4, 6]}, strategy="average"),
    "impute numeric texts": impute(["n"], {"n": ["1", "", "4", "6"]}, strategy="average"),
    "impute lists": impute(["l"], {"l": ["[1, a]", None, "[2]", "['b']"]}, strategy="constant"),
    "impute dates": {"frame": {"d": TRIPS["pickup"]}, "times": ["d"], "action": {
        "action_type": "impute", "axis": COLUMN, "arguments": ["d"], "options": {"strategy": "mode"}}},
}  # fmt: skip
CASES |= {
    "add columns": udf("addition", ["fare", "passengers"]),
    "add a value": udf("addition", ["passengers"], "number", value=10),
    "add days": udf("addition", ["pickup"], "category", value=2),
    "add hours": udf("addition", ["pickup"], "category", value=2, time_unit="h"),
    "subtract columns": udf("difference", ["fare", "passengers"]),
    "subtract times": udf("difference", ["dropoff", "pickup"]),
    "subtract days": udf("difference", ["pickup"], "category", value=2),
    "multiply": udf("multiply", ["fare", "passengers"]),
    "multiply by a value": udf("multiply", ["fare"], value=2),
    "divide": udf("divide", ["fare", "passengers"]),
    "divide by a value": udf("divide", ["fare"], value=2),
    "constant": udf("constant", [5], "number"),
    "week": udf("date_trunc", ["pickup"], "category", date_part="week"),
    "formatted date": udf("formatted_date", ["pickup"], "category", format="%Y/%m"),
    "if else": udf("if_else", ["dear", "cheap"], "category", action_code="fare > 8"),
    "if else of columns": udf("if_else", ["fare", "passengers"], arg1_type="column", arg2_type="column",
                              action_code="fare > 8"),
    "replace": udf("string_replace", ["zone"], "category", pattern="[Pp]ark", replacement="P"),
    "split": udf("string_split", ["zone"], "category", separator=" ", part_index=0),
    "substring": udf("substring", ["zone"], "category", start=1, stop=3),
    "distance": {"frame": {"a": [40.7], "b": [-74.0], "c": [41.0], "d": [-73.5]}, "action": {
        "action_type": "add", "axis": COLUMN, "arguments": ["a", "b", "c", "d"],
        "options": {"udf": "distance_between"}, "outputs": new("km")}},
    "outliers": case("remove_outliers", arguments=["a", "b"], options={"method": "lof"}, frame={
        "a": [*range(1, 30), 900], "b": [value / 2 + 0.25 for value in range(1, 30)] + [-400.5]}),
    "outliers by a forest": case("remove_outliers", arguments=["a", "b"], options={"method": "itree"}, frame={
        "a": [*range(1, 30), 900], "b": [value / 2 + 0.25 for value in range(1, 30)] + [-400.5]}),
}  # fmt: skip
