"""`mage-project block BLOCK --watch`: the block again, each time that something changes that it is made of.

This process only looks and waits: each time a new one runs the block, which imports the project's modules anew.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from mage_project.errors import ConfigError, MageProjectError, UsageError
from mage_project.project import Block, Pipeline, Project
from mage_project.project.modules import modules

#: Seconds between two looks: a few files are asked when they were written.
PAUSE_S = 0.3

#: What was found, by name: a hash of a file's content, and the block's entry as it was read.
State = Mapping[str, str]


def watch(project: Project, uuid: str, pipeline: str | None, inputs: Sequence[Path], run: Callable[[], int]) -> int:
    """Run, and again after each change, until Ctrl-C (0) or another signal (128 + n). Raises UsageError for
    writers, and for a name that is not that of one block.
    """
    _refuse(project, uuid, pipeline)
    try:
        while True:
            state = _state(project.root, uuid, pipeline, inputs)
            code = run()
            if code > 128:
                return 0 if code == 130 else code
            files = [name for name in state if name != _ENTRY]
            click.echo(f"\nwatching {files[0]}{f' and {len(files) - 1} more' if files[1:] else ''}; Ctrl-C ends it")
            changed = _wait(state, lambda: _state(project.root, uuid, pipeline, inputs), project.root)
            click.echo(f"\n── {time.strftime('%H:%M:%S')} {', '.join(changed)} changed ──\n")
    except KeyboardInterrupt:
        click.echo()
        return 0


def _refuse(project: Project, uuid: str, pipeline: str | None) -> None:
    found = _having(project, uuid, pipeline)
    if len(found) != 1:
        from mage_project.runner.single import pipeline_with

        with suppress(ConfigError):  # while a file cannot be read nobody knows; the run says so
            pipeline_with(project, uuid, pipeline)
    for _, block in found:
        if block.type == "data_exporter" or block.language == "sql":
            raise UsageError(
                f"'{uuid}' writes to its real target, and would at every change",
                hint="watch the block before it: what that gives is shown, and not written",
            )


_ENTRY = "its entry in the pipeline"


def _wait(before: State, look: Callable[[], State], root: Path) -> list[str]:
    """Wait for a change, and until nothing changes any more: editors write a file in several steps."""
    stamps: list[tuple[int, int, int] | None] | None = None  # something may have changed while the block ran
    while True:
        now = _stamps(before, root)
        if now != stamps:
            time.sleep(PAUSE_S / 3)
            if _stamps(before, root) != now:
                continue
            stamps, after = now, look()
            if changed := _changed(before, after):
                return changed
        time.sleep(PAUSE_S)


def _changed(before: State, after: State) -> list[str]:
    """What is new or another one now; what is gone (a module that is imported no more) if there is nothing else."""
    other = sorted(name for name in after if before.get(name) != after[name])
    return other or sorted(before.keys() - after.keys())


def _stamps(state: State, root: Path) -> list[tuple[int, int, int] | None]:
    found: list[tuple[int, int, int] | None] = []
    for name in state:
        try:
            stat = (root / name).stat()
        except OSError:
            found.append(None)
        else:
            found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return found


def _state(root: Path, uuid: str, pipeline: str | None, inputs: Sequence[Path]) -> State:
    """What the block is made of now: its file first."""
    project = Project(root)
    files: dict[Path, None] = {}
    entry = []
    for found, block in _having(project, uuid, pipeline):
        own = (block.path, *modules(root, block.path)) if block.path else ()
        files |= dict.fromkeys([*own, *(path.resolve() for path in inputs), found.path, root / "io_config.yaml"])
        entry.append(repr((replace(block, line=0), found.variables)))
    if not files:  # the pipeline cannot be read just now
        files = dict.fromkeys((root / "pipelines").glob(f"{pipeline or '*'}/metadata.yaml"))
    pipelines = (root / "pipelines").resolve()
    # Of a pipeline's file only the block's entry counts, while it can be read.
    state = {_name(path, root): "" if entry and path.is_relative_to(pipelines) else _hash(path) for path in files}
    return {**state, _ENTRY: "\n".join(entry)}


def _having(project: Project, uuid: str, pipeline: str | None) -> list[tuple[Pipeline, Block]]:
    found = []
    for name in project.uuids if pipeline is None else (pipeline,):
        with suppress(MageProjectError):  # the run says what is wrong
            read, _ = project.inspect(name)
            found += [(read, block) for block in read.blocks if block.uuid == uuid]
    return found


def _name(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "not there"
