"""One block alone: on what its upstream blocks gave in the last run, or on files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mage_project.errors import UsageError, did_you_mean
from mage_project.project import Block, Pipeline, Project
from mage_project.runner import dynamic, sampling
from mage_project.runner.kept import Kept
from mage_project.runner.limits import Limits
from mage_project.runner.records import RunRecord
from mage_project.runner.reporting import Reporter, Silent
from mage_project.runner.running import execute

Said = Callable[[str | None, str], None]


def run_block(
    project: Project,
    uuid: str,
    variables: Mapping[str, Any],
    *,
    pipeline: str | None = None,
    files: Sequence[Path] = (),
    reporter: Reporter | None = None,
    local: bool = False,
    limits: Limits | None = None,
) -> tuple[RunRecord, Any]:
    """Run the block on whole values, as Mage does. Returns the record and what the block returned."""
    found = pipeline_with(project, uuid, pipeline)
    block = found.block(uuid)
    rows = limits.sample_rows if limits else None
    if rows and (block.type == "data_exporter" or block.language == "sql"):
        raise UsageError(
            f"'{uuid}' writes to its real target: with --sample it would write a part for the whole",
            hint="try the block before it: what that gives is shown, and not written",
        )
    kept = Kept(found)
    said = (reporter or Silent()).said
    if files:
        call = dynamic.Call(inputs=_files(block, files))
    else:
        call = _first_call(found, block, [_input(kept, found, block, name, said) for name in block.upstream], said)
    if block.type == "data_exporter" or block.language == "sql":
        said(block.uuid, _told_before(block))
    if rows:
        call = replace(call, inputs=[sampling.cut(value, rows) for value in call.inputs])
    # What is only tried tells nobody, and is tried whatever the conditions say. What was kept may be a part of it all.
    is_whole = not rows and (bool(files) or not block.upstream)
    alone = replace(
        block,
        upstream=(),
        configuration={**block.configuration, "stream": False},
        callbacks=(),
        conditions=(),
        checks=tuple(rule for rule in block.checks if is_whole or rule.is_of_rows),
    )
    record, run = execute(
        replace(found, blocks=(alone,)),
        {**kept.variables(), **call.keywords, **variables},
        reporter=reporter,
        local=local,
        inputs={uuid: call.inputs},
        whole=found,
        limits=limits,
    )
    return record, run.output


def _told_before(block: Block) -> str:
    """That what is tried here is done in the store itself."""
    if block.language != "sql":
        return "this is no rehearsal: what the exporter writes, it writes to its real target"
    given = block.configuration
    if given.get("use_raw_sql"):
        return "this is no rehearsal: the statements are executed in the real store"
    table = ".".join(str(given[key]) for key in ("data_provider_schema", "data_provider_table") if given.get(key))
    done = {"replace": "replaces", "fail": "makes"}.get(str(given.get("export_write_policy")), "adds its rows to")
    return f"this is no rehearsal: it {done} the real table{f' {table}' if table else ', the one of automatic name'}"


def _files(block: Block, files: Sequence[Path]) -> list[Any]:
    if len(files) != len(block.upstream):
        raise UsageError(
            f"block '{block.uuid}' takes {len(block.upstream)} inputs, {len(files)} files were given",
            hint=f"one --input for each of: {', '.join(block.upstream) or 'none'}",
        )
    return [_read(path) for path in files]


def _first_call(pipeline: Pipeline, block: Block, given: Sequence[Any], said: Said) -> dynamic.Call:
    """The one run of the block, or the first one where it runs once for each item of a dynamic block."""
    spawned = dynamic.spawned(pipeline.blocks)
    upstream = [pipeline.block(uuid) for uuid in block.upstream]
    values = [
        dynamic.Children(outputs=value) if each.uuid in spawned else value
        for each, value in zip(upstream, given, strict=True)
    ]
    calls = dynamic.calls(upstream, values, many=block.uuid in spawned)
    if not calls:
        raise UsageError(f"the last run gave no items for '{block.uuid}'", hint="give the input: --input FILE")
    if block.uuid in spawned:
        if block.type == "data_exporter" and len(calls) > 1:
            raise UsageError(
                f"'{block.uuid}' runs once for each of {len(calls)} items: one alone would write a part for the whole",
                hint="run the pipeline, or give the input: --input FILE",
            )
        said(block.uuid, f"on the first of {len(calls)} items in the last run")
        return replace(calls[0], keywords={"dynamic_block_index": 0, **calls[0].keywords})
    return calls[0]


def pipeline_with(project: Project, uuid: str, wanted: str | None) -> Pipeline:
    """The pipeline of the block. `UsageError` where none has it, or several have."""
    if wanted:
        pipeline = project.pipeline(wanted)
        names = [block.uuid for block in pipeline.blocks]
        if uuid not in names:
            raise UsageError(f"pipeline '{wanted}' has no block '{uuid}'.{did_you_mean(uuid, names)}")
        return pipeline
    everything = {name: project.inspect(name)[0] for name in project.uuids}
    having = [name for name, pipeline in everything.items() if any(b.uuid == uuid for b in pipeline.blocks)]
    if not having:
        names = [block.uuid for pipeline in everything.values() for block in pipeline.blocks]
        raise UsageError(f"no pipeline has a block '{uuid}'.{did_you_mean(uuid, names)}")
    if len(having) > 1:
        raise UsageError(f"several pipelines have a block '{uuid}'", hint=f"--pipeline {' | '.join(having)}")
    return project.pipeline(having[0])


def _input(kept: Kept, pipeline: Pipeline, block: Block, upstream: str, said: Said) -> Any:
    """A SQL block reads the table of an upstream SQL block where there is one, and needs no rows that were kept."""
    if block.language == pipeline.block(upstream).language == "sql":
        from mage_project.runner.sql.blocks import leaves_a_table

        if leaves_a_table(pipeline.block(upstream), block):
            return None
    return _kept(kept, block, upstream, said)


def _kept(kept: Kept, block: Block, upstream: str, said: Said) -> Any:
    """What the last run kept of an upstream output. An exporter is never given a part for the whole."""
    value, complete = kept.output(upstream)
    if not complete and (block.type == "data_exporter" or block.language == "sql"):
        raise UsageError(
            f"the last run kept only the beginning of '{upstream}': '{block.uuid}' would write a part for the whole",
            hint="run the pipeline, or give the whole input: --input FILE",
        )
    if not complete:
        said(block.uuid, f"on the beginning of '{upstream}' in the last run, {len(value):,} rows")
    return value


def _read(path: Path) -> Any:
    from mage_project.io.file import FileIO

    if not path.is_file():
        raise UsageError(f"there is no file {path}", hint="--input takes a CSV, JSON or Parquet file")
    return FileIO(verbose=False).load(str(path))
