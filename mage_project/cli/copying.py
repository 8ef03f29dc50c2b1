"""Copies a block into another Mage project, with the modules of this project that it imports."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from mage_project.errors import MageProjectError, UsageError, did_you_mean
from mage_project.project import Block, Project
from mage_project.project.model import FOLDERS
from mage_project.project.modules import modules
from mage_project.runner.variables import plain

#: Keys of a block's configuration that only say where its file lies.
_OF_PLACE = ("file_path", "file_source")


def copy_block(project: Project, uuid: str, destination: Path, *, force: bool = False) -> list[Path]:
    """Copy the block's file and what it imports from the project; returns the written paths, from DEST.

    Nothing is written when one of the files is there already and differs (unless `force`).
    """
    if not destination.is_dir():
        raise UsageError(f"there is no folder {destination}", hint="name the folder of a Mage project")
    block = _find(project, uuid)
    files = [block, *modules(project.root, block)]
    targets = {path: destination / path.relative_to(project.root) for path in files}
    differing = [t for path, t in targets.items() if t.is_file() and t.read_bytes() != path.read_bytes()]
    if differing and not force:
        names = ", ".join(str(path.relative_to(destination)) for path in differing)
        raise UsageError(
            f"there already, and different: {names}", where=str(destination), hint="--force writes over them"
        )
    for path, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return [path.relative_to(project.root) for path in files]


def needed_by(project: Project, uuid: str) -> Iterator[str]:
    """What the copy of a SQL block needs in the destination's pipeline, and what is to be known of a replica's copy.

    Lines for a person, from the first pipeline that has the block.
    """
    block = next((found for found in _entries(project) if found.uuid == uuid), None)
    if block is None or block.path is None:
        return
    if block.path.stem != Path(uuid).name:
        yield f"'{uuid}' has no file of its own: it replicates the block '{block.path.stem}', whose file this is"
    if block.language == "sql":
        import yaml

        keys = {key: value for key, value in plain(block.configuration).items() if key not in _OF_PLACE}
        yield "in its pipeline there, the block needs:"
        yield from yaml.safe_dump({"language": "sql", "configuration": keys}, sort_keys=False).splitlines()
        if block.upstream:
            yield f"upstream_blocks: {len(block.upstream)}, in the order of df_1...; here {', '.join(block.upstream)}"


def _find(project: Project, uuid: str) -> Path:
    blocks = {path.stem: path for folder in FOLDERS.values() for path in (project.root / folder).glob("[!_]*.*")}
    if uuid in blocks:
        return blocks[uuid]
    replicas = {block.uuid: block.path for block in _entries(project) if block.path}
    if uuid in replicas:
        return replicas[uuid]
    known = {*blocks, *replicas}
    raise UsageError(
        f"there is no block '{uuid}'.{did_you_mean(uuid, known)}", hint=f"blocks here: {', '.join(sorted(known))}"
    )


def _entries(project: Project) -> Iterator[Block]:
    """The blocks of all pipelines that can be read."""
    for name in project.uuids:
        with suppress(MageProjectError):
            yield from project.inspect(name)[0].blocks
