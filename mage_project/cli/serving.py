"""HTTP in the scheduler's process: `mage-project scheduler --listen`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mage_project.errors import UsageError
from mage_project.web import listening, tokens

if TYPE_CHECKING:
    from mage_project.cli.schedule_reporters import PlainWatcher
    from mage_project.history.stores import Store
    from mage_project.schedule.scheduler import Scheduler


@contextmanager
def served(root: Path, store: Store, work: Scheduler, text: str, watcher: PlainWatcher) -> Iterator[None]:
    """Inside, the address that `text` names answers. `UsageError` where it cannot."""
    known = tokens.tokens()
    try:
        from mage_project.web.app import app
        from mage_project.web.server import serving
    except ModuleNotFoundError as error:
        raise UsageError(f"--listen needs {error.name}", hint="pip install 'mage-project[web]'") from error
    listener, here = listening.listen(listening.address(text))
    with serving(app(root, store, known, work.health), listener), listening.announced(root, here):
        watcher.listening(here)
        yield
