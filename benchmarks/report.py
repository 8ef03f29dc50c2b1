"""The Markdown table: every figure beside its target, and the machine it was measured on."""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cases
from measure import Series, ratio

SMALL, LARGE = "1,400,000 rows", "7,700,000 rows"
TRIVIAL = "the runner's own cost"

Results = Mapping[str, Mapping[str, Series]]
Figure = Callable[[Results], float | None]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A promise in figures. `limit` is the most that is allowed, or with `least` the least; `form` prints both."""

    what: str
    figure: Figure
    limit: float
    form: str
    least: bool = False
    stretch: float | None = None

    def line(self, results: Results) -> str:
        figure = self.figure(results)
        return f"| {self.what} | {self._bound()} | {self._shown(figure)} | {self._verdict(figure)} |"

    def _bound(self) -> str:
        sign = "≥" if self.least else "≤"
        stretch = f", stretch {self.form.format(self.stretch)}" if self.stretch is not None else ""
        return f"{sign} {self.form.format(self.limit)}{stretch}"

    def _shown(self, figure: float | None) -> str:
        return "not measured" if figure is None else self.form.format(figure)

    def _verdict(self, figure: float | None) -> str:
        if figure is None:
            return ""
        if self.stretch is not None and self._within(figure, self.stretch):
            return "met, stretch too"
        return "met" if self._within(figure, self.limit) else "**not met**"

    def _within(self, figure: float, bound: float) -> bool:
        return figure >= bound if self.least else figure <= bound


def against(case: str, one: str, other: str) -> Figure:
    """The seconds of `one` in units of `other`."""
    return lambda results: ratio(found(results, case, one), found(results, case, other))


def median(case: str, variant: str, figure: str, unit: float = 1) -> Figure:
    def value(results: Results) -> float | None:
        series = found(results, case, variant)
        return series.median(figure) / unit if series else None

    return value


def found(results: Results, case: str, variant: str) -> Series | None:
    """The series, if it has runs."""
    series = results.get(case, {}).get(variant)
    return series if series and series.samples else None


def rows_per_second(case: str, rows: int) -> Figure:
    def value(results: Results) -> float | None:
        series = found(results, case, cases.LAKE)
        return rows / series.median("wall_s") / 1e6 if series else None

    return value


def growth(results: Results) -> float | None:
    """How far the peaks of the two sizes are apart, in percent."""
    small, large = (median(case, cases.POSTGRES, "peak_rss_bytes")(results) for case in (SMALL, LARGE))
    return abs(large / small - 1) * 100 if small and large else None


def milliseconds_a_block(results: Results) -> float | None:
    one, hundred = (median(TRIVIAL, name, "wall_s")(results) for name in cases.TRIVIAL)
    return (hundred - one) / 99 * 1000 if one is not None and hundred is not None else None


def targets() -> list[Target]:
    times, mb = "{:.2f}×", "{:.0f} MB"
    found_targets = [
        Target(
            what=f"Postgres against `psql \\copy`, {case}",
            figure=against(case, cases.POSTGRES, cases.PSQL),
            limit=limit,
            stretch=stretch,
            form=times,
        )
        for case, limit, stretch in ((LARGE, 0.65, 0.55), (SMALL, 0.90, 0.75))
    ]
    found_targets.append(
        Target(
            what=f"Postgres against `psql \\copy` binary, {LARGE}",
            figure=against(LARGE, cases.POSTGRES, cases.PSQL_BINARY),
            limit=1.15,
            form=times,
        )
    )
    found_targets += [
        Target(
            what=f"Postgres with checks against without, {case}",
            figure=against(case, cases.CHECKED, cases.POSTGRES),
            limit=1.05,
            form=times,
        )
        for case in (SMALL, LARGE)
    ]
    found_targets += [
        Target(
            what=f"`mage run` against Postgres, {case}",
            figure=against(case, cases.MAGE, cases.POSTGRES),
            limit=limit,
            least=True,
            form="{:.1f}×",
        )
        for case, limit in ((SMALL, 12), (LARGE, 16))
    ]
    found_targets += [
        Target(what=f"peak memory, {name}, {case}", figure=peak(case, name), limit=limit, form=mb)
        for name, limit in ((cases.POSTGRES, 250), (cases.BOTH, 500), (cases.LAKE, 450))
        for case in (SMALL, LARGE)
    ]
    return [
        *found_targets,
        Target(what="peak memory, postgres, one size against the other", figure=growth, limit=10, form="{:.0f} %"),
        *(
            Target(
                what=f"lake, {case}",
                figure=rows_per_second(case, rows),
                limit=1.4,
                least=True,
                form="{:.2f} M rows/s",
            )
            for case, rows in ((SMALL, 1_400_000), (LARGE, 7_700_000))
        ),
        Target(
            what="cold start, one trivial block",
            figure=median(TRIVIAL, cases.ONE, "wall_s"),
            limit=0.25,
            form="{:.2f} s",
        ),
        Target(what="each of 100 trivial blocks", figure=milliseconds_a_block, limit=5, form="{:.1f} ms"),
    ]


def peak(case: str, variant: str) -> Figure:
    return median(case, variant, "peak_rss_bytes", 1e6)


def markdown(results: Results, *, notes: Sequence[str], postgres: str) -> str:
    """The whole page."""
    lines = ["# Benchmarks", "", machine(postgres), "", METHOD, ""]
    lines += [f"- {note}" for note in notes] + [""] * bool(notes)
    lines += ["## Targets", "", "| | target | measured | |", "|---|---|---|---|"]
    lines += [target.line(results) for target in targets()]
    for case, series in results.items():
        lines += ["", *case_table(case, series)]
    return "\n".join(lines) + "\n"


METHOD = (
    "Whole processes, variants interleaved round by round, medians with the fastest and the slowest run in brackets; "
    "ratios are taken round by round. Processor seconds and peak memory (1 MB = 10⁶ bytes) are the measured "
    "command's own, without the server's (the measuring process itself "
    "has about 25 MB, and no peak is shown below that). `python benchmarks/bench.py` writes this page."
)


def machine(postgres: str) -> str:
    """What the figures depend on; nothing that names the machine."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    facts = (
        f"{dt.datetime.now(dt.UTC).date()}",
        f"{os.cpu_count()} cores, {memory_gb:.0f} GB of memory, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        postgres,
    )
    return "; ".join(facts) + "."


def case_table(case: str, variants: Mapping[str, Series]) -> list[str]:
    compared = found({case: variants}, case, cases.PSQL)
    lines = [f"## {case[0].upper()}{case[1:]}", ""]
    lines += ["| | seconds | processor | peak memory | against `psql \\copy` |", "|---|---|---|---|---|"]
    lines += [variant_line(series, compared) for series in variants.values() if series.samples]
    reasons = [f"`{series.name}`: {series.trouble}" for series in variants.values() if series.trouble]
    return lines + [""] * bool(reasons) + [f"- {reason}" for reason in reasons]


def variant_line(series: Series, compared: Series | None) -> str:
    fastest, slowest = series.spread("wall_s")
    times = ratio(series, compared)
    cells = (
        f"{series.name}: {cases.DESCRIPTIONS[series.name]}",
        f"{series.median('wall_s'):.2f} ({fastest:.2f}–{slowest:.2f})",
        f"{series.median('cpu_s'):.2f}",
        f"{series.median('peak_rss_bytes') / 1e6:.0f} MB",
        "" if times is None else f"{times:.2f}×",
    )
    return f"| {' | '.join(cells)} |"
