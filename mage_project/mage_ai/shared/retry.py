"""mage_ai.shared.retry: functions that are tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any


def retry(
    retries: int = 2,
    delay: float = 5,
    max_delay: float = 60,
    exponential_backoff: bool = True,
    logger: Any = None,
    logging_tags: dict[str, Any] | None = None,
    retry_metadata: dict[str, Any] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: after an error wait `delay` seconds, each time twice as long, and try again up to `retries` times.

    The last error is raised, also once the waits would come to `max_delay` seconds.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def tried(*args: Any, **kwargs: Any) -> Any:
            waited, wait = 0.0, delay
            for attempt in range(1, retries + 2):
                if retry_metadata:
                    retry_metadata["attempts"] = (retry_metadata.get("attempts") or 0) + 1
                try:
                    return function(*args, **kwargs)
                except Exception as error:
                    told = f"{function.__name__} failed, attempt {attempt} of {retries + 1}: {error}"
                    print(told) if logger is None else logger.warning(told)
                    if attempt > retries or waited + wait >= max_delay:
                        raise
                time.sleep(wait)
                waited += wait
                wait *= 2 if exponential_backoff else 1
            return None

        return tried

    return decorate
