"""Jobs of BigQuery that are done once, however often they are asked for.

A job's id says what it does. Where the answer to starting one is lost, asking again finds the job that is there.
Source: https://cloud.google.com/bigquery/docs/running-jobs#generate-jobid.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from google.api_core import exceptions as api

from mage_project.io import bigquery_errors

log = logging.getLogger(__name__)

#: How long what fails in passing is tried again, in seconds.
RETRY_S = 60.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 8.0
#: How many jobs of one name may have failed before.
_ATTEMPTS = 20

#: Starts a job with the id that it is given.
Start = Callable[[str], Any]


def retry(retry_s: float) -> Any:
    """Google's own retries of a request, for at most `retry_s` seconds."""
    from google.cloud.bigquery.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_timeout(retry_s)


def started(client: Any, name: str, location: str | None, start: Start, *, retry_s: float = RETRY_S) -> Any:
    """The job `name`, started by `start(job_id)` unless it is there already.

    A job of this name that has failed does not count: another is started. Raises Google's errors for what stays wrong.
    """
    for attempt in range(_ATTEMPTS):
        job_id = f"mage_project_{name}_{attempt}"
        try:
            return _trying(lambda job_id=job_id: start(job_id), retry_s)  # type: ignore[misc]
        except api.Conflict:
            job = client.get_job(job_id, location=location, retry=retry(retry_s))
        if not job.error_result:
            log.info("job %s is there already", job_id)
            return job
        log.info("job %s failed before: %s", job_id, job.error_result.get("message"))
    raise api.BadRequest(f"the job mage_project_{name} has failed {_ATTEMPTS} times")


def _trying(act: Callable[[], Any], retry_s: float) -> Any:
    """What `act` gives, after trying again for at most `retry_s` seconds where that may help."""
    pause, until = _FIRST_PAUSE_S, time.monotonic() + retry_s
    while True:
        try:
            return act()
        except bigquery_errors.ALL as error:
            if not bigquery_errors.is_passing(error) or time.monotonic() + pause > until:
                raise
            log.info("BigQuery failed (%s): another try in %s s", error, pause)
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_S)


def asking(client: Any, query: str, config: Any, location: str | None, *, retry_s: float = RETRY_S) -> Start:
    """Starts the query. `config`: Google's QueryJobConfig."""

    def start(job_id: str) -> Any:
        return client.query(
            query,
            job_config=config,
            job_id=job_id,
            location=location,
            retry=retry(retry_s),
            job_retry=None,  # as Google wants it for a job with a name
        )

    return start


def finished(job: Any, *, retry_s: float = RETRY_S) -> Any:
    """The job, once it is done. Raises Google's errors if it failed."""
    job.result(retry=retry(retry_s))
    return job
