"""Reads a project from its folder; every problem is found, with file and line, before anything runs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from mage_project.errors import ConfigError, UsageError, did_you_mean
from mage_project.project import document
from mage_project.project.checking import Checker
from mage_project.project.model import ENDINGS, FOLDERS, Block, Pipeline, Problem, Trigger


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
            more = f" (and {len(errors) - 1} more: mage-project check {uuid})" if len(errors) > 1 else ""
            raise ConfigError(first.message + more, where=first.place(self.root), hint=first.hint)
        return pipeline

    def inspect(self, uuid: str) -> tuple[Pipeline, list[Problem]]:
        """The pipeline as far as it can be read, and every problem found in it."""
        if uuid not in self.uuids:
            known = ", ".join(self.uuids) or "none"
            raise UsageError(
                f"there is no pipeline '{uuid}'.{did_you_mean(uuid, self.uuids)}",
                where=str(self.root / "pipelines"),
                hint=f"pipelines here: {known}",
            )
        path = self.root / "pipelines" / uuid / "metadata.yaml"
        checker = Checker(path)
        content = document.read(path)
        checker.keys(content, "pipeline")
        blocks = tuple(self._blocks(content, checker))
        checker.graph(blocks)
        pipeline = Pipeline(
            uuid=uuid,
            root=self.root,
            path=path,
            name=str(content.get("name") or uuid),
            type=str(content.get("type") or "python"),
            description=content.get("description"),
            blocks=blocks,
            variables=checker.mapping(content, "variables"),
            triggers=tuple(self._triggers(path.with_name("triggers.yaml"), checker)),
        )
        return pipeline, checker.problems

    def _blocks(self, content: document.Mapping, checker: Checker) -> Iterator[Block]:
        for entry in checker.entries(content, "blocks"):
            checker.keys(entry, "block")
            uuid, kind = checker.text(entry, "uuid"), checker.text(entry, "type")
            if not uuid or not kind:
                continue
            if kind not in FOLDERS:
                checker.error(
                    f"block '{uuid}' has the unknown type '{kind}'.{did_you_mean(kind, FOLDERS)}",
                    entry.line_of("type"),
                    hint=f"types: {', '.join(FOLDERS)}",
                )
                continue
            block = Block(
                uuid=uuid,
                type=kind,
                language=str(entry.get("language") or "python"),
                upstream=tuple(str(name) for name in entry.get("upstream_blocks") or ()),
                configuration=checker.mapping(entry, "configuration"),
                path=self._file(uuid, kind, entry),
                line=entry.line,
            )
            if block.path is None and block.runs:
                self._report_missing(block, entry, checker)
            yield block

    def _file(self, uuid: str, kind: str, entry: document.Mapping) -> Path | None:
        """The block's file where type and name say; else where a `file_source` says (often stale)."""
        ending = ENDINGS.get(str(entry.get("language") or "python"), "py")
        folder = self.root / FOLDERS[kind]
        candidates = [folder / f"{uuid}.{ending}"]
        source = (entry.get("configuration") or {}).get("file_source") or {}
        if isinstance(source, dict) and isinstance(source.get("path"), str):
            named = Path(source["path"])
            candidates += [self.root / named, self.root.parent / named]
        inside = (path for path in candidates if path.resolve().is_relative_to(self.root))
        return next((path for path in inside if path.is_file()), None)

    def _report_missing(self, block: Block, entry: document.Mapping, checker: Checker) -> None:
        folder = self.root / FOLDERS[block.type]
        wanted = f"{FOLDERS[block.type]}/{block.uuid}.{ENDINGS.get(block.language, 'py')}"
        there = [path.stem for path in folder.glob(f"*.{ENDINGS.get(block.language, 'py')}")]
        checker.error(
            f"block '{block.uuid}' has no file {wanted}.{did_you_mean(block.uuid, there)}",
            entry.line_of("uuid"),
            hint=f"add {wanted}, or take the block out of the pipeline",
        )

    def _triggers(self, path: Path, checker: Checker) -> Iterator[Trigger]:
        if not path.is_file():
            return
        checker = checker.of(path)
        content = document.read(path)
        for entry in checker.entries(content, "triggers"):
            checker.keys(entry, "trigger")
            yield Trigger(
                name=str(entry.get("name") or ""),
                schedule_type=str(entry.get("schedule_type") or "time"),
                schedule_interval=_text_or_none(entry.get("schedule_interval")),
                start_time=entry.get("start_time"),
                status=str(entry.get("status") or "inactive"),
                variables=checker.mapping(entry, "variables"),
                settings=checker.mapping(entry, "settings"),
                line=entry.line,
            )


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)
