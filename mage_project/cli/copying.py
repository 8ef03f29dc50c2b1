"""Copies a block into another Mage project, with the modules of this project that it imports."""

from __future__ import annotations

import shutil
from pathlib import Path

from mage_project.errors import UsageError, did_you_mean
from mage_project.project import Project
from mage_project.project.model import FOLDERS
from mage_project.project.modules import modules


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


def _find(project: Project, uuid: str) -> Path:
    blocks = {path.stem: path for folder in FOLDERS.values() for path in (project.root / folder).glob("[!_]*.*")}
    if uuid not in blocks:
        raise UsageError(
            f"there is no block '{uuid}'.{did_you_mean(uuid, blocks)}",
            hint=f"blocks here: {', '.join(sorted(blocks))}",
        )
    return blocks[uuid]
