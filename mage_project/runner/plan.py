"""What runs together: single blocks, and groups of streaming blocks that share one pass over a source."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mage_project.project import Block
from mage_project.project.graph import in_order
from mage_project.runner import dynamic


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Blocks that run together, in order. A single block, or a stream: its source first."""

    blocks: tuple[Block, ...]
    is_stream: bool = False

    @property
    def uuids(self) -> tuple[str, ...]:
        return tuple(block.uuid for block in self.blocks)

    def only(self, blocks: Sequence[Block]) -> Unit:
        return Unit(blocks=tuple(blocks), is_stream=self.is_stream)


def units(blocks: Sequence[Block], running: Collection[str] | None = None) -> list[Unit]:
    """The blocks of a pipeline in the order in which they run, streams put together.

    `running`: the blocks that run, where the outputs of the others are given.
    """
    spawned = dynamic.spawned(blocks)
    by_uuid = {block.uuid: block for block in blocks}
    blocks = [block for block in blocks if running is None or block.uuid in running]
    names = {block.uuid for block in blocks}
    feeding = {block.uuid: [uuid for uuid in block.upstream if uuid in names] for block in blocks}
    ordered = [by_uuid[uuid] for uuid in in_order(feeding)]
    upstream = _ancestors(feeding, ordered)
    fed = [block for block in ordered if block.streams and not block.conditions and block.uuid not in spawned]
    streams = [_stream(source, fed, upstream) for source in ordered if _is_source(source)]
    member_of = {uuid: stream for stream in streams for uuid in stream.uuids}
    alone = {block.uuid: Unit(blocks=(block,)) for block in blocks if block.uuid not in member_of}
    everything = {unit.uuids[0]: unit for unit in ((member_of | alone)[block.uuid] for block in blocks)}
    feeds = {uuid: _before(unit, member_of, names) for uuid, unit in everything.items()}
    return [everything[uuid] for uuid in in_order(feeds)]


def _is_source(block: Block) -> bool:
    return block.streams and not block.upstream and block.type in ("data_loader", "custom")


def _ancestors(feeding: Mapping[str, Sequence[str]], ordered: Iterable[Block]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for block in ordered:
        given = feeding[block.uuid]
        found[block.uuid] = set(given).union(*(found[uuid] for uuid in given))
    return found


def _stream(source: Block, fed: Sequence[Block], upstream: dict[str, set[str]]) -> Unit:
    """The source and every streaming block, of those in `fed`, that can be fed from it in the same pass.

    A block joins when exactly one of its inputs is a member's stream and none of the others waits for the stream's
    end; otherwise it gets whole frames, which is right for any block. So does one with a condition, which is asked on
    the block's whole input, and one that runs once for each item of a dynamic block.
    """
    members = {source.uuid: source}
    for block in fed:
        if block.type not in ("transformer", "data_exporter"):
            continue
        fed_by = [uuid for uuid in block.upstream if uuid in members and members[uuid].type != "data_exporter"]
        others = [uuid for uuid in block.upstream if uuid not in fed_by]
        waits = any(source.uuid in upstream.get(uuid, ()) for uuid in others)
        if len(fed_by) == 1 and not waits:
            members[block.uuid] = block
    return Unit(blocks=tuple(members.values()), is_stream=True)


def _before(unit: Unit, member_of: dict[str, Unit], names: set[str]) -> list[str]:
    """The first blocks of the units that must have run before this one."""
    outside = [uuid for block in unit.blocks for uuid in block.upstream if uuid in names and uuid not in unit.uuids]
    return list(dict.fromkeys(member_of[uuid].uuids[0] if uuid in member_of else uuid for uuid in outside))
