from mage_project.project import Block
from mage_project.runner.plan import units


def make(uuid: str, kind: str, *upstream: str, stream: bool = False) -> Block:
    return Block(uuid=uuid, type=kind, upstream=upstream, configuration={"stream": True} if stream else {})


def names(blocks):
    return [(list(unit.uuids), unit.is_stream) for unit in units(blocks)]


def test_streaming_blocks_of_one_source_run_together():
    blocks = [
        make("load", "data_loader", stream=True),
        make("clean", "transformer", "load", stream=True),
        make("pg", "data_exporter", "clean", stream=True),
        make("lake", "data_exporter", "clean", stream=True),
    ]
    assert names(blocks) == [(["load", "clean", "pg", "lake"], True)]


def test_a_block_without_the_flag_runs_after_the_stream():
    blocks = [
        make("load", "data_loader", stream=True),
        make("clean", "transformer", "load"),
        make("pg", "data_exporter", "clean", stream=True),
    ]
    assert names(blocks) == [(["load"], True), (["clean"], False), (["pg"], False)]


def test_a_streaming_block_with_a_second_whole_input_waits_for_that_one_first():
    blocks = [
        make("load", "data_loader", stream=True),
        make("join", "transformer", "load", "zones", stream=True),
        make("zones", "data_loader"),
    ]
    assert names(blocks) == [(["zones"], False), (["load", "join"], True)]


def test_a_block_that_also_needs_the_streams_whole_gets_whole_frames():
    blocks = [
        make("load", "data_loader", stream=True),
        make("mean", "transformer", "load"),
        make("compare", "transformer", "load", "mean", stream=True),
    ]
    assert names(blocks) == [(["load"], True), (["mean"], False), (["compare"], False)]


def test_a_check_that_is_listed_last_runs_last():
    blocks = [
        make("load", "data_loader", stream=True),
        make("pg", "data_exporter", "load", stream=True),
        make("check", "data_loader"),
    ]
    assert names(blocks) == [(["load", "pg"], True), (["check"], False)]
