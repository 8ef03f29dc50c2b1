"""OpenLineage's events of each run and its blocks, where the configuration of OpenLineage's client asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mage_project.history.facts import RunFacts
from mage_project.observers.course import Course

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient

FILE = "openlineage.yml"


def is_configured(root: Path) -> bool:
    """Whether events are asked for: by variables, or by an openlineage.yml here, in the project or in the home.

    https://openlineage.io/docs/client/python/configuration
    """
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    if any(
        name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG") or name.startswith("OPENLINEAGE__") for name in os.environ
    ):
        return True
    folders = [root, Path(), *([Path(os.environ["HOME"]) / ".openlineage"] if "HOME" in os.environ else [])]
    return any(_is_there(folder / FILE) for folder in folders)


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a home that may not be looked into
        return False


class Lineage:
    """The events of one run: START when it begins, those of its blocks and how it ended at its end."""

    name = "lineage"

    def __init__(self, *, has_begun: bool = False) -> None:
        self._has_begun = has_begun
        self._client: OpenLineageClient | None = None
        self._trouble: str | None = None

    def began(self, facts: RunFacts, at: float) -> None:
        try:
            from mage_project.observers.lineage_events import beginning

            self._client = _client(facts.root)
            self._emit([] if self._has_begun else [beginning(facts, at)])
        except ImportError as error:
            self._trouble = f"{error}: pip install 'mage-project[openlineage]'"
        except Exception as error:  # noqa: BLE001 - a wrong configuration raises whatever it likes
            self._trouble = f"{type(error).__name__}: {error}"

    def ended(self, course: Course) -> Sequence[str]:
        if self._client is None:
            return list(_line(self._trouble))
        from mage_project.observers.lineage_events import endings

        self._emit(endings(course))
        self._client.close(timeout=5)
        return list(_line(self._trouble)) or ["lineage is sent"]

    def _emit(self, events: Sequence[Any]) -> None:
        """What cannot be sent is told of once; what comes after it is tried all the same."""
        from mage_project.observers.refusals import refusal

        assert self._client is not None  # noqa: S101 - both callers have seen to it
        address = getattr(self._client.transport, "url", None)
        if events and isinstance(address, str) and (why := refusal(address)):
            self._trouble = why
            return
        for event in events:
            try:
                self._client.emit(event)
            except Exception as error:  # noqa: BLE001 - each transport raises its own
                self._trouble = f"{type(error).__name__}: {error}"
                return


def _client(root: Path) -> OpenLineageClient:
    """The client as it is configured. It sets variables of its own, which are nobody else's."""
    before = set(os.environ)
    try:
        return _configured(root)
    finally:
        for name in set(os.environ) - before:
            if name.startswith("OPENLINEAGE__"):
                del os.environ[name]


def _configured(root: Path) -> OpenLineageClient:
    from openlineage.client import OpenLineageClient

    own = root / FILE
    if own.is_file() and root != Path.cwd() and "OPENLINEAGE_CONFIG" not in os.environ:
        import yaml

        given: Mapping[str, Any] = yaml.safe_load(own.read_text(encoding="utf-8")) or {}
        return OpenLineageClient(config=dict(given))
    return OpenLineageClient()


def _line(trouble: str | None) -> Iterator[str]:
    if trouble is not None:
        yield f"warning: lineage is not sent: {' '.join(trouble.split())}"
