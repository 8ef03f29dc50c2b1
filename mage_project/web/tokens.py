"""Who may start runs over HTTP: whoever has the trigger's token, or that of the process.

A trigger's is `token` in its triggers.yaml, as in Mage. Where there is none it is that of the process, from the
environment, which also is the one for everything else. There is no token that nobody has set.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from mage_project import masking
from mage_project.errors import UsageError
from mage_project.project import Trigger
from mage_project.project.triggers import SHORTEST_TOKEN

VARIABLE = "MAGE_PROJECT_API_TOKEN"


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The token of the process, if it has one."""

    own: str | None = field(default=None, repr=False)

    def open(self, trigger: Trigger | None, given: str | None) -> bool:
        """Whether `given` is the token of the trigger; or, for None, of the process."""
        own = trigger.token if trigger else None
        return self._is_one_of([own or self.own], given)

    def may_look(self, trigger: Trigger | None, given: str | None) -> bool:
        """Whether `given` is either of them."""
        return self._is_one_of([trigger.token if trigger else None, self.own], given)

    def _is_one_of(self, tokens: Sequence[str | None], given: str | None) -> bool:
        """Compared in a time that says nothing of how much of it is right."""
        said = (given or "").encode("utf-8", "surrogatepass")
        return any(hmac.compare_digest(token.encode(), said) for token in tokens if token)


def tokens() -> Tokens:
    """Those of the environment. `UsageError` for one that is too short."""
    own = os.environ.get(VARIABLE) or None
    if own is not None and len(own) < SHORTEST_TOKEN:
        hint = 'one that nobody guesses: python -c "import secrets; print(secrets.token_hex())"'
        raise UsageError(f"{VARIABLE} is shorter than {SHORTEST_TOKEN} characters", hint=hint)
    masking.hide({"api_token": own or ""})
    return Tokens(own=own)


def source(trigger: Trigger) -> str | None:
    """Where the token of the trigger is from; None: it has none, and nobody can call it."""
    if trigger.token:
        return f"`token` in {trigger.path.name if trigger.path else 'triggers.yaml'}"
    return VARIABLE if os.environ.get(VARIABLE) else None
