"""What the program that starts a run tells it: through its environment, from which the run takes it out again.

What the run's blocks start in their turn is not the starter's.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

#: The trigger that it is a run of; the backfill; the name that it has been given already.
TRIGGER, BACKFILL, RUN = "MAGE_PROJECT_TRIGGER", "MAGE_PROJECT_BACKFILL", "MAGE_PROJECT_RUN"
#: The run whose block has started it; and the pipelines that have led to it, from the first one to its parent's.
PARENT, LINE = "MAGE_PROJECT_PARENT", "MAGE_PROJECT_LINE"
#: File descriptors: where the starter listens; what ends when the starter is gone; where the run's variables are.
EVENTS, ALIVE, VARIABLES = "MAGE_PROJECT_EVENTS", "MAGE_PROJECT_ALIVE", "MAGE_PROJECT_VARIABLES"
#: Set where the starter tells people of a run that was killed: the run's command leaves that to it.
TELLS = "MAGE_PROJECT_TELLS"
EVERY = (TRIGGER, BACKFILL, RUN, PARENT, LINE, EVENTS, ALIVE, VARIABLES, TELLS)


def own_environment() -> dict[str, str]:
    """What runs that this process starts get of its environment."""
    return {name: value for name, value in os.environ.items() if name not in EVERY}


def env_of_trigger() -> str:
    """Mage gives `env: prod` to every run that a trigger starts, or another run."""
    return os.environ.get("ENV", "prod")


def new_run_id() -> str:
    """Sorts by time; unique among runs that start in the same second."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.urandom(3).hex()}"


def given_run_id() -> str:
    """The name that the starter has given to this run, else a new one."""
    return os.environ.pop(RUN, None) or new_run_id()


def given_trigger() -> str | None:
    """The trigger that this is a run of, None for a run of a backfill. It stays there for the history."""
    return None if BACKFILL in os.environ else os.environ.get(TRIGGER)


def line() -> list[str]:
    """The pipelines that have led to this run. They stay there: for a block's own process, and for what that starts."""
    return [str(each) for each in json.loads(os.environ.get(LINE, "[]"))]


def descriptor(name: str) -> int | None:
    """The descriptor that the starter has left under `name`. What the run starts by itself does not get it."""
    number = os.environ.pop(name, None)
    if number is None:
        return None
    os.set_inheritable(int(number), False)
    return int(number)


@contextmanager
def handed_over(variables: Mapping[str, Any]) -> Iterator[int]:
    """A descriptor that a run reads its variables from: they may be long, and nobody sees them among the processes."""
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(json.dumps(dict(variables), default=str).encode())
        file.seek(0)
        yield file.fileno()


def handed() -> dict[str, Any]:
    """The variables that the starter has handed over."""
    number = descriptor(VARIABLES)
    if number is None:
        return {}
    with open(number, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        return dict(json.load(file))


def as_assignments(variables: Mapping[str, Any]) -> list[str]:
    """Variables as one would type them: `name=value`, the value as JSON."""
    return [f"{name}={json.dumps(value, default=str, ensure_ascii=False)}" for name, value in variables.items()]
