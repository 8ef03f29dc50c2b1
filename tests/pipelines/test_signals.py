"""Runs that are told to stop: the exit code says by what, every store is as it was, and no process stays."""

from __future__ import annotations

import signal
from threading import Event

import pytest

from mage_project.local import LocalStack
from tests.local.owners import processes_of
from tests.pipelines.lab import Lab, eventually
from tests.pipelines.stores import Stores, Target
from tests.pipelines.test_sources import PACKED, publish
from tests.taxi.proxy import proxy_of
from tests.taxi.site import Handler, Site

SIGNALS = [pytest.param(signal.SIGINT, 130, id="Ctrl-C"), pytest.param(signal.SIGTERM, 143, id="SIGTERM")]


@pytest.fixture
def stuck(site: Site):
    """A site that stops in the middle of a file, and an event that says when it has got there."""
    there, over = Event(), Event()

    def stop(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(PACKED)))
        handler.end_headers()
        handler.wfile.write(PACKED[:5000])
        there.set()
        over.wait(30)

    site.troubles = [stop]
    yield there
    over.set()


@pytest.mark.parametrize(("signum", "exit_code"), SIGNALS)
def test_a_run_that_is_stopped_while_it_downloads(
    lab: Lab, target: Target, site: Site, stuck: Event, signum: int, exit_code: int
) -> None:
    before = target.state()
    command = lab.start({**target.variables, **publish(site)})
    assert stuck.wait(30)
    command.send_signal(signum)
    result = lab.finished(command)
    assert result.exit_code == exit_code
    assert "interrupted" in result.error
    assert target.at_rest() == before


@pytest.mark.parametrize(("signum", "exit_code"), SIGNALS)
def test_a_run_that_is_stopped_while_it_writes(lab: Lab, target: Target, signum: int, exit_code: int) -> None:
    """Every month takes its time; the first one has been written to both stores' sides when the signal comes."""
    months = "            yield from _month(file, reader, wanted)\n"
    lab.edit("taxi/trips.py", months, f"{months}            pause()\n")
    lab.edit("taxi/trips.py", "\ndef month_frames(", PAUSE)
    before = target.state()
    command = lab.start({**target.variables, "source": "sample_data"})
    eventually(lambda: (lab.root / "written").exists(), "a batch was written")
    command.send_signal(signum)
    result = lab.finished(command)
    assert result.exit_code == exit_code
    assert "interrupted" in result.error
    assert target.at_rest() == before


PAUSE = """
def pause() -> None:
    Path(__file__).parent.parent.joinpath("written").touch()
    for _ in range(300):
        __import__("time").sleep(0.1)


def month_frames("""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_stopped_takes_its_own_local_stack_with_it(
    lab: Lab, site: Site, stuck: Event, signum: int
) -> None:
    lab.env = {}
    command = lab.start(publish(site))
    assert stuck.wait(60)
    assert [service.name for service in LocalStack(lab.root).status() if service.running] == ["postgres", "gcs"]
    command.send_signal(signum)
    command.communicate(timeout=60)
    assert command.returncode in (143, -9)
    eventually(lambda: not processes_of(lab.root) and not lab.processes(), "no process is left")


def test_a_run_that_is_stopped_while_it_commits_ends_its_commit(lab: Lab, target: Target, stores: Stores) -> None:
    there, on = Event(), Event()

    def hold(method: str, path: str) -> None:
        if "rewriteTo" in path:
            there.set()
            on.wait(30)

    with proxy_of(stores.env["STORAGE_EMULATOR_HOST"]) as proxy:
        proxy.rule = hold
        variables = {**target.variables, "source": "sample_data", "months": ["2020-10"]}
        command = lab.start(variables, env={"STORAGE_EMULATOR_HOST": proxy.url})
        assert there.wait(30)
        command.send_signal(signal.SIGTERM)
        on.set()
        result = lab.finished(command)
    assert result.exit_code == 143
    assert target.rows("count(*)") == [(1661,)]
    assert len(stores.lake(target.name, "trips")) == 1661
    assert all(name.startswith("trips/") for name in stores.objects(target.name))
