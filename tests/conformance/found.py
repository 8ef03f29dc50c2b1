"""The Mage projects below a folder, and those of their pipelines that are about taxis."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from mage_project.project.model import FOLDERS

TAXI = re.compile(r"tripdata|taxi|[lt]pep_|nyc-tlc|\bfhv", re.IGNORECASE)
FETCHES = re.compile(r"https?://\S*(tripdata|nyc-tlc|trip-data|releases/|cloudfront|csv)|https?://[\d.]+[:/]")
BUCKET = re.compile("bucket", re.IGNORECASE)
#: As BigQuery's tables are named in Python.
TABLE = re.compile(r"""['"]([a-z][a-z0-9-]+)\.(\w+)\.\w+['"]""")
#: What an unknown part of a name may stand for: most often it is a month.
MONTHS = [f"{month:02}" for month in range(1, 13)]


@dataclass(frozen=True, kw_only=True)
class FoundPipeline:
    """`sources` are the files of its blocks, as far as they are there, by uuid."""

    uuid: str
    text: str
    blocks: Sequence[Mapping[str, Any]]
    sources: Mapping[str, Path]

    @property
    def is_about_taxis(self) -> bool:
        return any(TAXI.search(text) for text in self._texts())

    @property
    def fetches(self) -> bool:
        """Whether it reads something of the web, so that others can read what it wrote."""
        return any(FETCHES.search(text) for text in self._texts())

    def objects(self) -> Iterator[tuple[str, str]]:
        """Bucket and key of the objects that loaders name."""
        for path in self.sources.values():
            if path.parent.name in ("data_loaders", "custom") and path.suffix == ".py":
                yield from named_objects(_read(path))

    @property
    def checks(self) -> list[str]:
        """The SQL that looks at a table of another block without saying so."""
        loose = [
            block for block in self.blocks if not block.get("upstream_blocks") and not block.get("downstream_blocks")
        ]
        return [block["uuid"] for block in loose if block.get("language") == "sql" and block["type"] == "data_loader"]

    def datasets(self) -> Iterator[tuple[str, str]]:
        """Project ("" where it is not named) and dataset of BigQuery's tables that the pipeline writes."""
        for path in self.sources.values():
            yield from TABLE.findall(_read(path))
        for block in self.blocks:
            configuration = block.get("configuration") or {}
            if configuration.get("data_provider") == "bigquery" and configuration.get("data_provider_schema"):
                yield "", configuration["data_provider_schema"]

    def buckets(self) -> set[str]:
        """The buckets that its Python names: on their authors' Google they were there."""
        sources = (_read(path) for path in self.sources.values() if path.suffix == ".py")
        return {value for source in sources for name, value in constants(source) if BUCKET.search(name)} - {""}

    def _texts(self) -> Iterator[str]:
        yield self.text
        yield from map(_read, self.sources.values())


@dataclass(frozen=True, kw_only=True)
class FoundProject:
    """A project; its name is the path to it."""

    name: str
    root: Path

    def pipelines(self, *, of_all_kinds: bool) -> list[FoundPipeline]:
        """Those about taxis, or all; the ones that fetch before the ones that may read what those write."""
        found = map(self._pipeline, sorted(self.root.glob("pipelines/*/metadata.yaml")))
        wanted = [each for each in found if of_all_kinds or each.is_about_taxis]
        return sorted(wanted, key=lambda each: (not each.fetches, each.uuid))

    def _pipeline(self, metadata: Path) -> FoundPipeline:
        text = _read(metadata)
        try:
            blocks = (yaml.safe_load(text) or {}).get("blocks") or []
        except yaml.YAMLError:  # the run will say so
            blocks = []
        sources = {str(entry.get("uuid")): path for entry in blocks for path in self._files(entry)}
        return FoundPipeline(uuid=metadata.parent.name, text=text, blocks=blocks, sources=sources)

    def _files(self, entry: Mapping[str, Any]) -> Sequence[Path]:
        folder = self.root / FOLDERS.get(str(entry.get("type")), "custom")
        return [path for end in ("py", "sql") if (path := folder / f"{entry.get('uuid')}.{end}").is_file()][:1]


def projects_below(folder: Path) -> list[FoundProject]:
    """Every folder that has pipelines is one."""
    found = (path for path in folder.glob("**/pipelines/*/metadata.yaml") if path.is_file())
    roots = {path.parents[2] for path in found if not any(part.startswith(".") for part in path.parts)}
    return [FoundProject(name=str(root.relative_to(folder)), root=root) for root in sorted(roots)]


def constants(source: str) -> Iterator[tuple[str, str]]:
    """The names to which the code assigns text, and that text; arguments given by name, too."""
    for node in _parsed(source):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
        elif isinstance(node, ast.keyword) and node.arg:
            name, value = node.arg, node.value
        else:
            continue
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield name, value.value


def named_objects(source: str) -> Iterator[tuple[str, str]]:
    """What a block's code assigns to names like `bucket_name` and `object_key`; unknown parts are tried as months."""
    assignments = [node for node in _parsed(source) if isinstance(node, ast.Assign)]
    known: dict[str, str] = {}
    keys: list[str] = []
    for node in assignments:
        name = node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
        values = list(_values(node.value, known))
        if len(values) == 1:
            known[name] = values[0]
        if "key" in name or "blob" in name:
            keys += values
    buckets = [value for name, value in known.items() if BUCKET.search(name)]
    yield from ((bucket, key) for bucket in buckets for key in keys if TAXI.search(key))


def _values(node: ast.expr, known: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for month in MONTHS:
            text = "".join(_part(part, known, month) for part in node.values)
            yield text
            if month not in text:
                return


def _part(node: ast.expr, known: Mapping[str, str], otherwise: str) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    inner = node.value if isinstance(node, ast.FormattedValue) else node
    return known.get(inner.id, otherwise) if isinstance(inner, ast.Name) else otherwise


def _parsed(source: str) -> Iterator[ast.AST]:
    """All parts of the code; none where it is not Python."""
    try:
        yield from ast.walk(ast.parse(source))
    except SyntaxError:
        return


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
