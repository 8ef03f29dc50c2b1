"""The Mage projects that are measured: copies of this repository's, of the course's, and one of trivial blocks."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
PARTS = ("metadata.yaml", "io_config.yaml", "pipelines", "data_loaders", "transformers", "data_exporters", "taxi")
SHIPPED = "green_taxi_etl"
TO_POSTGRES = "trips_to_postgres"
TO_LAKE = "trips_to_gcs"
COURSE = "course_yellow"
CLEAN = "clean_taxi_trips"
#: What a careful project declares of cleaned trips: twenty-one rules of all kinds.
CHECKS = [
    {"not_null": ["vendor_id", "tpep_pickup_datetime", "pu_location_id", "do_location_id"]},
    {"accepted_values": {"column": "store_and_fwd_flag", "values": ["Y", "N"]}},
    {"accepted_values": {"column": "payment_type", "values": [0, 1, 2, 3, 4, 5, 6]}},
    {"accepted_values": {"column": "ratecode_id", "values": [1, 2, 3, 4, 5, 6, 99]}},
    *(
        {"between": {"column": name, "min": -1000, "max": 1000}, "severity": "warn"}
        for name in ("trip_distance", "fare_amount", "tip_amount", "total_amount")
    ),
    *(
        {"relationships": {"column": name, "to": "zones.csv", "field": "LocationID"}}
        for name in ("pu_location_id", "do_location_id")
    ),
    {"row_count": {"min": 1}},
    {"sum": {"column": "total_amount", "min": 0}},
    *({"null_share": {"column": name, "max": 0.1}} for name in ("vendor_id", "ratecode_id", "passenger_count")),
    {"expression": "tpep_pickup_datetime <= tpep_dropoff_datetime", "severity": "warn"},
    {
        "unique": [
            "vendor_id",
            "tpep_pickup_datetime",
            "tpep_dropoff_datetime",
            "pu_location_id",
            "do_location_id",
            "total_amount",
        ],
        "severity": "warn",
    },
]


def shipped_copy(folder: Path) -> Path:
    """This repository's project, without the runner and everything else."""
    folder.mkdir()
    for name in PARTS:
        part = REPOSITORY / name
        if part.is_dir():
            shutil.copytree(part, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif part.exists():
            shutil.copy(part, folder / name)
    return folder


def add_pipeline(
    project: Path,
    uuid: str,
    *,
    without: Collection[str] = (),
    variables: Mapping[str, object],
    checks: Collection[object] = (),
) -> str:
    """The shipped pipeline once more under the name `uuid`, without some blocks and with other variables.

    `checks` are declared beside the transformer.
    """
    pipeline = yaml.safe_load((project / "pipelines" / SHIPPED / "metadata.yaml").read_text())
    blocks = [block for block in pipeline["blocks"] if block["uuid"] not in without]
    for block in blocks:
        if checks and block["uuid"] == CLEAN:
            block["configuration"] = {**block["configuration"], "checks": list(checks)}
            (project / "zones.csv").write_text("\n".join(["LocationID", *map(str, range(1, 266))]))
        for side in ("upstream_blocks", "downstream_blocks"):
            block[side] = [other for other in block.get(side) or [] if other not in without]
    pipeline |= {"uuid": uuid, "name": uuid, "blocks": blocks}
    pipeline["variables"] = {**pipeline.get("variables", {}), **variables}
    write_pipeline(project, uuid, pipeline)
    return uuid


def shipped_buckets() -> list[str]:
    """The buckets that the shipped pipeline names in its variables."""
    path = REPOSITORY / "pipelines" / SHIPPED / "metadata.yaml"
    variables = (yaml.safe_load(path.read_text()) if path.exists() else {}).get("variables", {})
    return [value for name, value in variables.items() if "bucket" in name]


def trivial_project(folder: Path, *, sizes: Collection[int]) -> Path:
    """For each size a pipeline of so many trivial blocks, one behind the other: `blocks_1`, `blocks_100`..."""
    folder.mkdir(parents=True)
    (folder / "metadata.yaml").write_text("project_type: standalone\n")
    blocks = [trivial_block(folder, place) for place in range(max(sizes))]
    for size in sizes:
        write_pipeline(folder, f"blocks_{size}", {"uuid": f"blocks_{size}", "blocks": blocks[:size]})
    return folder


def trivial_block(folder: Path, place: int) -> dict[str, Any]:
    """A loader of a number, or a transformer that adds one to it."""
    kind = "transformer" if place else "data_loader"
    signature, result = ("number, *args", "number + 1") if place else ("*args", "0")
    path = folder / f"{kind}s" / f"block_{place}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"@{kind}\ndef step({signature}, **kwargs):\n    return {result}\n")
    upstream = [f"block_{place - 1}"] if place else []
    return {"uuid": path.stem, "type": kind, "language": "python", "upstream_blocks": upstream}


def course_copy(folder: Path) -> Path:
    """The course's way of writing the same pipeline, for real Mage."""
    shutil.copytree(HERE / "course_project", folder)
    return folder


def write_pipeline(project: Path, uuid: str, pipeline: Mapping[str, Any]) -> None:
    path = project / "pipelines" / uuid / "metadata.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump({"type": "python", **pipeline}, sort_keys=False))


def runner(*words: str) -> list[str]:
    """The command line of `mage-project`, of this Python's environment."""
    script = Path(sys.executable).parent / "mage-project"
    return [*([str(script)] if script.exists() else [sys.executable, "-m", "mage_project"]), *words]


def mage() -> Path | None:
    """Real Mage's command: of the venv in MAGE_VENV, else of `.venv-mage`."""
    venv = Path(os.environ.get("MAGE_VENV", REPOSITORY / ".venv-mage"))
    return command if (command := venv.absolute() / "bin" / "mage").exists() else None


def real_months() -> Path | None:
    """The folder of real months in the releases' layout: below TAXI_DATA, else below `../shared/data`."""
    folder = Path(os.environ.get("TAXI_DATA", REPOSITORY.parent / "shared" / "data")) / "nyc-tlc-data"
    return folder if (folder / "green" / "green_tripdata_2020-10.csv.gz").exists() else None
