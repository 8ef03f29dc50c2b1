"""Runs that are killed at any moment: both stores hold a whole load, and the next run needs no help.

`PIPELINE_KILLS` says how many kills there are of the command and of its worker, 6 each where it is not set;
`PIPELINE_KILLS_SEED` repeats the moments of a run of these tests.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random, randrange

import pytest

from taxi.lake import Lake
from tests.pipelines.lab import Lab, eventually
from tests.pipelines.stores import LAKE, State, Stores, Target

KILLS = int(os.environ.get("PIPELINE_KILLS", "6"))
SEED = int(os.environ.get("PIPELINE_KILLS_SEED", randrange(1_000_000)))
OLD = {"source": "sample_data", "months": ["2020-10"]}
NEW = {"source": "sample_data", "months": ["2020-10", "2020-11", "2020-12"]}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A project and a target that holds the old load; what each load looks like; and how long a run takes."""

    lab: Lab
    target: Target
    old: State
    new: State
    run_s: float

    def killed(self, kill: str, *, worker: bool) -> float:
        """Start the run that replaces the old load, and kill it somewhere; the second of the kill."""
        moment_s = Random(f"{SEED} {kill}").uniform(0, self.run_s)
        command = self.lab.start({**self.target.variables, **NEW})
        time.sleep(moment_s)
        victims = [pid for pid in self.lab.processes() if (pid != command.pid) is worker]
        for pid in victims:
            os.kill(pid, 9)
        command.communicate(timeout=60)
        eventually(lambda: not self.lab.processes(), "its processes are gone")
        return moment_s

    def load_old(self) -> None:
        result = self.lab.run({**self.target.variables, **OLD})
        assert result.exit_code == 0, result.error


@pytest.fixture(scope="module")
def scene(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    lab = Lab(root=tmp_path_factory.mktemp("killed"), env=stores.env)
    target = Target(stores=stores, name="killed")
    stores.gcs.create_bucket(target.name)
    started = time.monotonic()
    assert lab.run({**target.variables, **NEW}).exit_code == 0
    run_s, new = time.monotonic() - started, target.state()
    scene = Scene(lab=lab, target=target, old=new, new=new, run_s=run_s)
    scene.load_old()
    yield Scene(lab=lab, target=target, old=target.state(), new=new, run_s=run_s)
    target.drop()


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_command_leaves_the_old_load_or_the_new_one(scene: Scene, kill: int) -> None:
    """In both stores the same one, with nothing beside it: the worker ends in order."""
    moment_s = scene.killed(f"command {kill}", worker=False)
    found = scene.target.at_rest()
    assert found in (scene.old, scene.new), f"killed after {moment_s:.3f} s, PIPELINE_KILLS_SEED={SEED}"
    if found == scene.new:
        scene.load_old()


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_worker_leaves_a_whole_table_and_a_lake_that_is_whole_or_is_finished(scene: Scene, kill: int) -> None:
    """What taxi/lake.py says: where publish.json is there, whoever uses the lake next finishes the new load."""
    moment_s = scene.killed(f"worker {kill}", worker=True)
    told = f"killed after {moment_s:.3f} s, PIPELINE_KILLS_SEED={SEED}"
    found = scene.target.at_rest()
    assert found.tables in (scene.old.tables, scene.new.tables), told
    if f"_staging/{LAKE}/publish.json" in found.objects:
        Lake(scene.target.stores.gcs, scene.target.name, LAKE).recover()
        found = scene.target.at_rest()
        assert found.settled.objects == scene.new.objects, told
    assert (found.settled.objects, found.lake) in [(load.objects, load.lake) for load in (scene.old, scene.new)], told
    scene.load_old()
    assert scene.target.at_rest().settled == scene.old, told
