from __future__ import annotations

import pytest

from mage_project.errors import UsageError
from mage_project.masking import masked
from mage_project.project import Trigger
from mage_project.web.tokens import Tokens, tokens

OWN, ITS = "the-token-of-the-process", "the-token-of-the-trigger"


def trigger(token: str | None) -> Trigger:
    return Trigger(name="t", schedule_type="api", token=token)


@pytest.mark.parametrize(
    ("token", "given", "opens"),
    [(ITS, ITS, True), (ITS, OWN, False), (None, OWN, True), (None, "", False), (ITS, None, False), (ITS, "é", False)],
)
def test_a_trigger_is_opened_by_its_token_or_where_it_has_none_by_that_of_the_process(
    token: str | None, given: str | None, opens: bool
) -> None:
    assert Tokens(own=OWN).open(trigger(token), given) is opens


@pytest.mark.parametrize("given", ["", None, "None"])
def test_where_no_token_is_set_nothing_opens(given: str | None) -> None:
    assert not Tokens().open(trigger(None), given)
    assert not Tokens().open(trigger(""), given)


def test_a_short_token_is_refused_and_none_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAGE_PROJECT_API_TOKEN", "short")
    with pytest.raises(UsageError, match="shorter than 16 characters"):
        tokens()
    monkeypatch.setenv("MAGE_PROJECT_API_TOKEN", OWN)
    assert OWN not in repr(tokens())
    assert masked(f"it is {OWN}") == "it is ***"
