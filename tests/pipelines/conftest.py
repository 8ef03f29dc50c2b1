from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mage_project.local import LocalStack
from tests.pipelines.lab import Lab, Result
from tests.pipelines.stores import Stores, Target
from tests.taxi.making import text, trip, write_month
from tests.taxi.site import Site, serving

#: What every target holds before its test.
OLD = text(
    trip(lpep_pickup_datetime="2019-01-01 08:00:00"),
    trip(lpep_pickup_datetime="2019-01-02 09:00:00"),
    trip(lpep_pickup_datetime="2019-01-02 10:00:00"),
)


@pytest.fixture(scope="session")
def stores(local_stack: LocalStack) -> Iterator[Stores]:
    stores = Stores(local_stack.env())
    yield stores
    stores.close()


@pytest.fixture(scope="session")
def old_load(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A target that a run has loaded."""
    lab = Lab(root=tmp_path_factory.mktemp("old load"), env=stores.env)
    target = Target(stores=stores, name="old-load")
    stores.gcs.create_bucket(target.name)
    write_month(lab.root / "old", OLD, "2019-01")
    result = lab.run({**target.variables, "source": "old", "months": ["2019-01"]})
    assert result.exit_code == 0, result.said
    yield target
    target.drop()


@pytest.fixture
def target(stores: Stores, old_load: Target) -> Iterator[Target]:
    """A schema and a bucket of this test, with the old load in them."""
    target = Target(stores=stores, name=f"test-{secrets.token_hex(4)}")
    target.copy_of(old_load)
    assert target.state() == old_load.state()
    yield target
    target.drop()


@pytest.fixture
def lab(stores: Stores, tmp_path: Path) -> Lab:
    """A project of this test, which does not wait long before it asks a web site again."""
    root = tmp_path / "project"
    root.mkdir()
    lab = Lab(root=root, env=stores.env)
    lab.edit("taxi/cache.py", "PAUSE_S = 0.5", "PAUSE_S = 0.01")
    return lab


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


Refused = Callable[..., Result]


@pytest.fixture
def refused(lab: Lab, target: Target) -> Refused:
    """Run with these variables: it fails, says all of `words`, and changes nothing in any store."""

    def refused(*words: str, exit_code: int = 1, env: dict[str, str] | None = None, **variables: Any) -> Result:
        before = target.state()
        result = lab.run({**target.variables, **variables}, env=env)
        assert result.exit_code == exit_code, result.report
        assert not [word for word in words if word not in result.error], result.error
        assert target.at_rest() == before
        return result

    return refused
