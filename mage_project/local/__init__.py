"""A project's own Postgres, GCS and BigQuery server on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mage_project.local.stack import LocalStack, ServiceStatus

__all__ = ["LocalStack", "ServiceStatus"]


def __getattr__(name: str) -> Any:
    # Late: the watcher is a module of this package, and should start fast.
    if name in __all__:
        from mage_project.local import stack

        return getattr(stack, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
