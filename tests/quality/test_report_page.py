"""The report as a page: it needs nothing from elsewhere, trusts no value, and can be read by everyone."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest

from mage_project.quality.report import page, profile
from mage_project.quality.report.binning import bins
from mage_project.quality.report.wording import number, share, text
from mage_project.quality.results import CheckResult
from mage_project.quality.rules import Rule

_VOID = {"meta", "link", "br", "img"}
_NASTY = '</title><script>alert(1)</script>"><img src=x onerror="alert(1)">{{ 7*7 }}'


class Elements(HTMLParser):
    """The elements of a page, and whether each is closed in its turn."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def month(number: int, name: str = "amount") -> pa.Table:
    random = np.random.default_rng(number)
    start = datetime.datetime(2024, number, 1)
    return pa.table(
        {
            "created_at": [start + datetime.timedelta(minutes=7 * row) for row in range(4_000)],
            name: pa.array(np.round(random.lognormal(2 + number, 1, 4_000), 2), mask=random.random(4_000) < 0.1),
            "code": ["a", "b", "b", None] * 1_000,
            "note": [f"note {row}" for row in range(4_000)],
        }
    )


def result(**changes: object) -> CheckResult:
    given = {"rule": "min", "name": "min(amount)", "passed": True, "rows": 4_000, "column": "amount", "failing": 0}
    return CheckResult(**{**given, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def usual() -> Elements:
    odd = {"amount": float("nan"), "code": 2**63 - 1}
    broken = result(passed=False, failing=3, examples=[odd, {"amount": -1, "code": None}], more="mage-project check …")
    rules = [Rule(word="min", name="min(amount)", columns=("amount",), minimum=0)]
    before, after = profile([month(1)]), profile([month(2)])
    return Elements(page(after, [broken, result(name="other")], title="trips", before=before, rules=rules))


def test_the_page_asks_for_nothing_from_elsewhere(usual: Elements) -> None:
    addresses = [
        value for _, attributes in usual.found for name, value in attributes.items() if name in {"src", "href", "data"}
    ]
    assert all(str(address).startswith("#") for address in addresses)
    assert not usual.all("script")
    assert {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"} in (
        usual.all("meta")
    )
    assert "url(" not in usual.said
    assert "@import" not in usual.said


def test_the_title_keeps_the_end_of_a_long_path() -> None:
    said = page(profile([month(1)]), [], title=f"/data/{'x' * 60}/green_tripdata_2020-10.csv.gz")
    assert "/green_tripdata_2020-10.csv.gz – data report</title>" in said
    assert "<h1><bdi>…" in said


def test_every_link_leads_somewhere(usual: Elements) -> None:
    places = {f"#{attributes['id']}" for _, attributes in usual.found if "id" in attributes}
    assert {link["href"] for link in usual.all("a")} <= places


def test_charts_have_a_name_and_tables_have_headers(usual: Elements) -> None:
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in usual.all("svg"))
    assert all(header["scope"] in {"row", "col"} for header in usual.all("th"))


def test_the_page_tells_the_verdict_and_the_offending_rows(usual: Elements) -> None:
    assert "✗ 1 of 2 checks failed" in usual.said
    assert "2 offending rows" in usual.said
    assert "nan9223372036854775807" in usual.said
    assert "allowed from 0" in usual.said
    assert "What changed from before to now" in usual.said


def test_nothing_in_the_data_becomes_a_part_of_the_page() -> None:
    table = month(1, _NASTY).append_column("code 2", pa.array([_NASTY, "\u202ereversed"] * 2_000))
    shown = result(name=_NASTY, message=_NASTY, column=_NASTY, passed=False, failing=1, more=_NASTY,
                   examples=[{_NASTY: _NASTY}])  # fmt: skip
    found = Elements(page(profile([table]), [shown], title=_NASTY, before=profile([month(2)]), before_title=_NASTY))
    assert not found.all("script") + found.all("img")
    assert not [name for _, attributes in found.found for name in attributes if name.startswith("on")]
    assert "{{ 7*7 }}"[:6] in found.said
    assert "\u202e" not in found.said


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([], "no checks"),
        ([result()], "1 check passed"),
        ([result(), result(passed=False, severity="warn")], "1 warns of 2 checks"),
        ([result(passed=False), result(passed=False, severity="warn")], "1 of 2 checks failed, 1 warns"),
    ],
    ids=["none", "passed", "warned", "failed"],
)
def test_the_verdict_says_how_many_checks_failed(results: list[CheckResult], said: str) -> None:
    assert said in page(profile([month(1)]), results, title="trips")


@pytest.mark.parametrize(
    "table",
    [
        pa.table({}),
        pa.table({"n": pa.array([], pa.int64())}),
        pa.table({"n": pa.nulls(3)}),
        pa.table({"n": [1e308, -1e308, 5e-324]}),
        pa.table({"at": pa.array([0, 10**12], pa.int64()).cast(pa.timestamp("s")), "": ["", "\x00"]}),
    ],
    ids=["no columns", "no rows", "only nulls", "huge and tiny", "odd times and names"],
)
def test_odd_data_has_a_page(table: pa.Table) -> None:
    assert Elements(page(profile([table]), [], title="odd")).all("h1")


def test_a_page_is_small() -> None:
    table = pa.table({f"column {place}": month(1)["amount"] for place in range(20)})
    table = table.append_column("created_at", month(1)["created_at"])
    assert len(page(profile([table]), [], title="wide").encode()) < 300_000


@pytest.mark.parametrize("values", [[5.0], [1.0, 1.0 + 1e-15], [-1e308, 1e308], [0.0, 5e-324]], ids=str)
def test_any_numbers_have_few_bins(values: list[float]) -> None:
    found = bins(np.array(values), np.ones(len(values)), rows=len(values), whole=False)
    assert len(found.rows) <= 42
    assert found.below + sum(found.rows) + found.above == len(values)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-3.5, "−3.5"), (27.0834, "27.08"), (205_654.12, "205,654"), (0.01234, "0.0123"), (3.2e-9, "3.2e-09")],
    ids=str,
)
def test_numbers_are_shown_to_about_four_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_share_never_hides_that_something_is_there() -> None:
    shown = [share(part, 10_000).replace("\u202f", " ") for part in (0, 1, 4_470, 9_999, 10_000)]
    assert shown == ["0 %", "< 0.1 %", "44.7 %", "> 99.9 %", "100 %"]


def test_control_characters_are_shown_and_long_texts_cut() -> None:
    assert text("a\x00b\u202ec") == "a\\x00b\\u202ec"
    assert len(text("x" * 1_000)) == 60
