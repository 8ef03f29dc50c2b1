"""Reads a project from its folder; every problem is found, with file and line, before anything runs."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from mage_project.errors import ConfigError, UsageError, did_you_mean
from mage_project.project.command import command
from mage_project.project.model import Pipeline, Problem


class Project:
    """The Mage project in folder `root`. Reading one pipeline never fails for another one's mistakes."""

    def __init__(self, root: Path | str = ".") -> None:
        self.root = Path(root).resolve()
        if not self.root.is_dir():
            raise UsageError(f"there is no folder {root}", hint="name a Mage project with --project PATH")
        if not (self.root / "pipelines").is_dir():
            raise UsageError(
                "this is not a Mage project: it has no pipelines/ folder",
                where=str(self.root),
                hint="change into a project, or name one with --project PATH",
            )

    @cached_property
    def uuids(self) -> tuple[str, ...]:
        """The names of all pipelines, sorted."""
        files = (self.root / "pipelines").glob("*/metadata.yaml")
        return tuple(sorted(file.parent.name for file in files))

    def pipeline(self, uuid: str) -> Pipeline:
        """The pipeline, checked. `UsageError` for an unknown name, `ConfigError` naming its first problem."""
        pipeline, problems = self.inspect(uuid)
        errors = [problem for problem in problems if not problem.warning]
        if errors:
            first = errors[0]
            more = f" (and {len(errors) - 1} more: {command(self.root, 'check', uuid)})" if len(errors) > 1 else ""
            raise ConfigError(first.message + more, where=first.place(self.root), hint=first.hint)
        return pipeline

    def inspect(self, uuid: str) -> tuple[Pipeline, list[Problem]]:
        """The pipeline as far as it can be read, and every problem found in it."""
        if uuid not in self.uuids:
            if uuid and (self.root / "pipelines" / uuid).is_dir():
                raise ConfigError(
                    f"the folder of pipeline '{uuid}' has no metadata.yaml",
                    where=f"pipelines/{uuid}",
                    hint="add one, which lists the pipeline's blocks, or remove the folder",
                )
            known = ", ".join(self.uuids) or "none"
            raise UsageError(
                f"there is no pipeline '{uuid}'.{did_you_mean(uuid, self.uuids)}",
                where=str(self.root / "pipelines"),
                hint=f"pipelines here: {known}",
            )
        from mage_project.project.pipelines import read_pipeline  # YAML, which much does without

        return read_pipeline(self.root, uuid)
