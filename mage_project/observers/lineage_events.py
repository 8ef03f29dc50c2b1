"""Makes OpenLineage's events of what is known of a run: https://openlineage.io/docs/spec/object-model

A pipeline is a job, and each of its blocks is one below it (`pipeline.block`).
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from openlineage.client import facet_v2 as facets
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.uuid import generate_static_uuid

from mage_project.history.facts import RunFacts, code_hashes
from mage_project.history.git import Commit, commit_of
from mage_project.observers.course import Course
from mage_project.observers.datasets import Name, name_of_file, name_of_target

PRODUCER = f"urn:mage-project:{version('mage-project')}"
_SOURCE = "MAGE_PROJECT"
#: Not failed: stopped before it could, or nothing was there to be done.
_ABORTED = ("cancelled", "crashed", "not_published")


def beginning(facts: RunFacts, at: float) -> RunEvent:
    """START of the run."""
    return _event(RunState.START, at, _run(facts), _job(facts, commit_of(facts.root)))


def endings(course: Course) -> list[RunEvent]:
    """Those of the blocks that ran, then that of the run: COMPLETE, FAIL, or ABORT where it was stopped or killed."""
    facts, record, commit = course.facts, course.record, commit_of(course.facts.root)
    events: list[RunEvent] = []
    inputs: list[InputDataset] = []
    outputs: list[OutputDataset] = []
    for block in record["blocks"]:
        if block["uuid"] not in course.spans:
            continue
        began, ended = course.spans[block["uuid"]]
        run, job = _run(facts, block), _job(facts, commit, block)
        read, written = _inputs(block), _outputs(course, block)
        events.append(_event(RunState.START, began, run, job))
        events.append(_event(_state(block["status"], course), ended, run, job, read, written))
        inputs, outputs = [*inputs, *read], [*outputs, *written]
    state = _state(record["status"], course)
    run = _run(facts, error=record["error"] if state is not RunState.COMPLETE else None)
    return [*events, _event(state, course.ended, run, _job(facts, commit), inputs, outputs)]


def _state(status: str, course: Course) -> RunState:
    """A month that is not published yet has not failed: nothing was wrong, and nothing was done."""
    if status in ("completed", "sampled", "skipped", "condition_failed"):
        return RunState.COMPLETE
    return RunState.ABORT if course.is_interrupted or status in _ABORTED else RunState.FAIL


def _event(
    state: RunState,
    at: float,
    run: Run,
    job: Job,
    inputs: Sequence[InputDataset] = (),
    outputs: Sequence[OutputDataset] = (),
) -> RunEvent:
    return RunEvent(
        eventType=state,
        eventTime=_moment(at),
        run=run,
        job=job,
        producer=PRODUCER,
        inputs=list(inputs),
        outputs=list(outputs),
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


# -- runs and jobs


def _identity(run_id: str, block: str = "") -> str:
    """The same for the same run wherever it is asked for. A run's name begins with its moment."""
    text = f"{run_id}/{block}"
    try:
        moment = datetime.strptime(run_id.split("-")[0], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, text))
    return str(generate_static_uuid(moment, text.encode()))


def _run(facts: RunFacts, block: Mapping[str, Any] | None = None, *, error: str | None = None) -> Run:
    error = block["error"] if block else error
    found: dict[str, Any] = {"nominalTime": _nominal_time(facts), "processing_engine": _engine(), "tags": _tags(facts)}
    if block:
        parent_run = facets.parent_run.Run(runId=_identity(facts.run_id))
        parent_job = facets.parent_run.Job(namespace=_namespace(), name=facts.pipeline)
        found["parent"] = facets.parent_run.ParentRunFacet(run=parent_run, job=parent_job)
    if error:
        found["errorMessage"] = facets.error_message_run.ErrorMessageRunFacet(
            message=error, programmingLanguage="python"
        )
    return Run(runId=_identity(facts.run_id, block["uuid"] if block else ""), facets=_ours(found))


def _job(facts: RunFacts, commit: Commit | None, block: Mapping[str, Any] | None = None) -> Job:
    kind = block["type"].upper() if block else "PIPELINE"
    path = facts.files.get(block["uuid"]) if block else facts.root / "pipelines" / facts.pipeline / "metadata.yaml"
    found: dict[str, Any] = {
        "jobType": facets.job_type_job.JobTypeJobFacet(processingType="BATCH", integration=_SOURCE, jobType=kind)
    }
    if path and path.is_relative_to(facts.root):
        found["sourceCodeLocation"] = facets.source_code_location_job.SourceCodeLocationJobFacet(
            type="git" if commit else "file",
            url=path.as_uri(),
            path=path.relative_to(facts.root).as_posix(),
            version=f"{commit.hash}{'-dirty' if commit.dirty else ''}" if commit else None,
        )
        field = facets.tags_job.TagsJobFacetFields
        tags = [field(key="code", value=value, source=_SOURCE) for value in code_hashes({"": path}).values()]
        found["tags"] = facets.tags_job.TagsJobFacet(tags=tags)
    name = f"{facts.pipeline}.{block['uuid']}" if block else facts.pipeline
    return Job(namespace=_namespace(), name=name, facets=_ours(found))


def _namespace() -> str:
    return os.environ.get("OPENLINEAGE_NAMESPACE") or "mage-project"


def _nominal_time(facts: RunFacts) -> Any:
    end = facts.interval_end
    return facets.nominal_time_run.NominalTimeRunFacet(
        nominalStartTime=f"{facts.execution_date.isoformat()}Z",
        nominalEndTime=f"{end.isoformat()}Z" if end and end > facts.execution_date else None,
    )


def _engine() -> Any:
    return facets.processing_engine_run.ProcessingEngineRunFacet(version=version("mage-project"), name="mage-project")


def _tags(facts: RunFacts) -> Any:
    known = {"run_id": facts.run_id, "trigger": facts.trigger_name, "backfill": facts.backfill_id}
    known["resumes"] = facts.resumes
    field = facets.tags_run.TagsRunFacetFields
    tags = [field(key=name, value=value, source=_SOURCE) for name, value in known.items() if value]
    return facets.tags_run.TagsRunFacet(tags=tags)


# -- datasets


def _inputs(block: Mapping[str, Any]) -> list[InputDataset]:
    """The files that the block has read, as it describes them."""
    return [_input(file, block["columns"]) for file in block["files"]]


def _input(file: Mapping[str, Any], columns: Mapping[str, str]) -> InputDataset:
    name, size = name_of_file(file), file.get("size", file.get("size_bytes"))
    known = facets.input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
        rowCount=_number(file.get("rows")), size=_number(size), fileCount=1
    )
    found: dict[str, Any] = {"schema": _schema(columns)}
    seal = file.get("sha256") or file.get("etag")
    if seal:
        found["version"] = facets.dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(seal))
    field = facets.tags_dataset.TagsDatasetFacetFields
    tags = [field(key=key, value=str(file[key]), source=_SOURCE) for key in ("etag", "sha256") if file.get(key)]
    if tags:
        found["tags"] = facets.tags_dataset.TagsDatasetFacet(tags=tags)
    return InputDataset(
        namespace=name.namespace, name=name.name, facets=_ours(found), inputFacets=_ours({"inputStatistics": known})
    )


def _outputs(course: Course, block: Mapping[str, Any]) -> list[OutputDataset]:
    """What the block's connectors have committed. Its columns are those of what it was given."""
    names: dict[Name, None] = dict.fromkeys(map(name_of_target, block["written"]))
    columns = block["columns"] or _columns_before(course, block["uuid"])
    rows = block["rows_written"] if block["rows_written"] is not None else block["rows_in"]
    known = facets.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=rows, size=block["bytes_in"]
    )
    given = {"outputStatistics": known} if len(names) == 1 else {}  # of several nobody knows which got what
    return [
        OutputDataset(
            namespace=name.namespace,
            name=name.name,
            facets=_ours({"schema": _schema(columns)}),
            outputFacets=_ours(given),
        )
        for name in names
    ]


def _columns_before(course: Course, uuid: str) -> Mapping[str, str]:
    by_uuid = {block["uuid"]: block for block in course.record["blocks"]}
    before = [by_uuid[name]["columns"] for name in course.upstream.get(uuid, ()) if name in by_uuid]
    return next((columns for columns in before if columns), {})


def _schema(columns: Mapping[str, str]) -> Any:
    field = facets.schema_dataset.SchemaDatasetFacetFields
    fields = [field(name=name, type=kind, ordinal_position=place) for place, (name, kind) in
              enumerate(columns.items(), start=1)]  # fmt: skip
    return facets.schema_dataset.SchemaDatasetFacet(fields=fields) if fields else None


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _ours(found: Mapping[str, Any]) -> dict[str, Any]:
    """The facets that there are, said to be ours: the client takes its own name for all of a process."""
    given = {name: each for name, each in found.items() if each is not None}
    for each in given.values():
        each._producer = PRODUCER
    return given
