"""What changed since other data, made ready for the template: the changes with their pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from mage_project.quality.report import wording
from mage_project.quality.report.changes import Change, changes, is_coded
from mage_project.quality.report.drawing import ranges, stacks
from mage_project.quality.report.profile import ColumnProfile, Numbers, Profile


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What changed between two names' data. `lines`: the changes with their pictures; `alike`: columns without one."""

    before: str
    after: str
    rows_before: int
    rows_after: int
    lines: Sequence[tuple[Change, Markup | None]]
    alike: Sequence[str]

    @property
    def growth(self) -> str:
        """+12.3 %"""
        percent = 100 * (self.rows_after / self.rows_before - 1)
        return f"{percent:+.1f}\u202f%".replace("-", "−")


def comparison(profile: Profile, before: Profile | None, before_title: str) -> Comparison | None:
    """With `before`, or of the last two months. None where there is neither."""
    names = (wording.source(before_title), "now")
    month_column = profile.month_column
    if before is None and profile.months:
        (first, before), (second, profile) = profile.months
        names = (first, second)
    if before is None:
        return None
    found = changes(before, profile)
    told = {change.name for change in found} | {profile.month_column, month_column}
    return Comparison(
        before=names[0],
        after=names[1],
        rows_before=before.rows,
        rows_after=profile.rows,
        lines=[(change, _picture(change, before.rows, profile.rows)) for change in found],
        alike=[wording.text(column.name) for column in profile.columns if column.name not in told],
    )


def _picture(change: Change, rows_before: int, rows_after: int) -> Markup | None:
    """The two distributions one above the other, where there are two to compare."""
    before, after = change.before, change.after
    if before is None or after is None or before.kind != after.kind:
        return None
    label = f"{wording.text(change.name)} before and now"
    if is_coded(before) and is_coded(after):
        return stacks(_shares(before, rows_before), _shares(after, rows_after), label=label)
    if before.numbers and after.numbers:
        return ranges(_five(before.numbers), _five(after.numbers), label=label)
    if before.nulls != after.nulls:
        return stacks(_null_share_of(before, rows_before), _null_share_of(after, rows_after), label=label)
    return None


def _shares(column: ColumnProfile, rows: int) -> dict[str | None, float]:
    """The shares of codes and nulls among all rows."""
    shares: dict[str | None, float] = {wording.value(count.value): count.rows / max(1, rows) for count in column.top}
    return shares | _null_share_of(column, rows)


def _null_share_of(column: ColumnProfile, rows: int) -> dict[str | None, float]:
    return {None: column.nulls / max(1, rows)}


def _five(numbers: Numbers) -> list[float]:
    return [numbers.quantile(per_mille) for per_mille in (50, 250, 500, 750, 950)]
