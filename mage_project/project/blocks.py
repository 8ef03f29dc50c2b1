"""Reads the blocks of a pipeline from its metadata.yaml, with what is called before and after them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from mage_project.errors import did_you_mean
from mage_project.project import executors, files, retries
from mage_project.project.checking import Checker
from mage_project.project.document import Mapping
from mage_project.project.model import FOLDERS, ONLY_IN_MAGE, Block

#: Where a pipeline lists the blocks that others call, with their type and the key of those that name them.
_ADDONS = {"callbacks": ("callback", "callback_blocks"), "conditionals": ("conditional", "conditional_blocks")}


class BlockReader:
    """Reads the entries of one pipeline; what is wrong goes to the checker."""

    def __init__(self, root: Path, content: Mapping, checker: Checker) -> None:
        self._root = root
        self._content = content
        self._checker = checker
        self._retries = {**retries.of_project(root, checker), **retries.configured(content, checker)}
        self._in_process = executors.in_process(content, checker)
        self._entries = {str(entry.get("uuid")): entry for entry in checker.entries(content, "blocks")}

    def blocks(self) -> Iterator[Block]:
        addons = {key: list(self._addons(key)) for key in _ADDONS}
        for entry in self._checker.entries(self._content, "blocks"):
            block = self._block(entry)
            if block is None:
                continue
            callbacks, conditions = (self._called_by(entry, block, key, addons[key]) for key in _ADDONS)
            yield replace(block, callbacks=(*self._own_callback(entry, block), *callbacks), conditions=conditions)

    def _block(self, entry: Mapping, kind: str | None = None) -> Block | None:
        self._checker.keys(entry, "block")
        uuid, kind = self._checker.text(entry, "uuid"), kind or self._checker.text(entry, "type")
        if not uuid or not kind or not self._is_known(entry, uuid, kind) or self._leads_away(entry, "uuid"):
            return None
        if kind in ONLY_IN_MAGE["block"]:
            self._checker.only_in_mage(f"block '{uuid}' is {ONLY_IN_MAGE['block'][kind]}", entry.line_of("type"))
        configuration = self._checker.mapping(entry, "configuration")
        language = str(entry.get("language") or "python")
        block = Block(
            uuid=uuid,
            type=kind,
            language=language,
            upstream=tuple(str(name) for name in entry.get("upstream_blocks") or ()),
            configuration=configuration,
            retries=self._tried(entry),
            timeout_s=self._checker.seconds(entry, "timeout"),
            in_process=language == "python" and executors.in_process(entry, self._checker, default=self._in_process),
            line=entry.line,
        )
        if "checks" in configuration and isinstance(configuration, Mapping):
            from mage_project.project.checks import rules_of

            block = replace(block, checks=rules_of(block, configuration, self._root, self._checker))
        if entry.get("replicated_block"):
            return self._replicated(entry, block)
        if kind in ONLY_IN_MAGE["block"]:
            return block
        path = files.find(self._root, kind, uuid, language, configuration)
        if path is None and (block.runs or kind in ("callback", "conditional")):
            self._report_missing(f"block '{uuid}'", files.wanted(kind, uuid, language), entry.line_of("uuid"))
        return replace(block, path=path)

    def _tried(self, entry: Mapping) -> retries.Retries | None:
        given = {**self._retries, **retries.of_block(entry, self._checker)}
        return retries.Retries(**given) if given else None

    def _report_missing(self, what: str, file: Path, line: int) -> None:
        """A callback that is not there is not called, in Mage too; anything else is an error."""
        why, hint = files.missing(self._root, file)
        self._checker.error(f"{what} has {why}", line, hint=hint, warning=file.parent.name == FOLDERS["callback"])

    def _is_known(self, entry: Mapping, uuid: str, kind: str) -> bool:
        if kind in FOLDERS or kind in ONLY_IN_MAGE["block"]:
            return True
        self._checker.error(
            f"block '{uuid}' has the unknown type '{kind}'.{did_you_mean(kind, FOLDERS)}",
            entry.line_of("type"),
            hint=f"types: {', '.join(FOLDERS)}",
        )
        return False

    def _leads_away(self, entry: Mapping, key: str) -> bool:
        """Whether the name, which becomes a path, leads out of the folder of its blocks; noted as an error."""
        name = PurePosixPath(str(entry[key]).replace("\\", "/"))
        if not name.is_absolute() and ".." not in name.parts and "\0" not in str(name):
            return False
        what = f"'{key}: {entry[key]}' is no name of a block: it leads out of the folder of the blocks"
        self._checker.error(what, entry.line_of(key), hint="name it by letters, digits and _, with / for a folder")
        return True

    def _replicated(self, entry: Mapping, block: Block) -> Block:
        """The block with the file of the one that it replicates, which may replicate another one itself."""
        name, seen = str(entry["replicated_block"]), {block.uuid}
        if self._leads_away(entry, "replicated_block"):
            return block
        while name in self._entries and name not in seen and self._entries[name].get("replicated_block"):
            seen.add(name)
            name = str(self._entries[name]["replicated_block"])
        original = self._entries.get(name)
        if original is None or name in seen:
            what = f"block '{block.uuid}' replicates '{name}', which "
            what += "replicates it" if original else f"the pipeline does not have.{did_you_mean(name, self._entries)}"
            self._checker.error(
                what, entry.line_of("replicated_block"), hint=f"blocks here: {', '.join(self._entries)}"
            )
            return block
        kind, language = str(original.get("type") or block.type), str(original.get("language") or "python")
        configuration: dict[str, Any] = original.get("configuration") or {}
        path = files.find(self._root, kind, name, language, configuration) if kind in FOLDERS else None
        return replace(block, path=path, language=language)  # a file that is not there is told of the original

    # -- what is called before and after a block

    def _addons(self, key: str) -> Iterator[Block]:
        for entry in self._checker.entries(self._content, key):
            addon = self._block(entry, _ADDONS[key][0])
            if addon and addon.path:
                yield addon

    def _called_by(self, entry: Mapping, block: Block, key: str, addons: list[Block]) -> tuple[Block, ...]:
        """Those that name the block as upstream. Mage looks at nothing else, so neither does a run."""
        found = tuple(addon for addon in addons if block.uuid in addon.upstream)
        kind, names = _ADDONS[key]
        for name in entry.get(names) or ():
            if name not in [addon.uuid for addon in found]:
                self._checker.error(
                    f"block '{block.uuid}' names the {kind} '{name}', which is not among the pipeline's {key} with "
                    f"'{block.uuid}' in its upstream_blocks: it is not called",
                    entry.line_of(names),
                    warning=True,
                )
        return found

    def _own_callback(self, entry: Mapping, block: Block) -> tuple[Block, ...]:
        """The callback of an old project: `has_callback: true`, and a file named after the block."""
        if not entry.get("has_callback"):
            return ()
        uuid = f"{re.sub(r'[^0-9a-z_]+', '_', block.uuid.lower())}_callback"
        path = files.find(self._root, "callback", uuid, "python", {})
        if path is None:
            file, line = files.wanted("callback", uuid, "python"), entry.line_of("has_callback")
            self._report_missing(f"the callback of block '{block.uuid}'", file, line)
            return ()
        return (Block(uuid=uuid, type="callback", path=path, line=entry.line),)
