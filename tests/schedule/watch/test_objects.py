"""Objects in a real GCS server."""

from __future__ import annotations

from pathlib import Path

import pytest
from google.cloud import storage

from mage_project.schedule.watch.objects import look
from mage_project.schedule.watch.sightings import CannotLook


def test_objects_are_seen_by_name_folder_or_pattern(tmp_path: Path, gcs_client: storage.Client) -> None:
    bucket = gcs_client.create_bucket("watched")
    for name in ("in/a.csv", "in/b.txt", "other"):
        bucket.blob(name).upload_from_string("x")

    def seen(text: str) -> list[str]:
        return [each.address for each in look(tmp_path, text, {}, local=False)]

    assert seen("gs://watched/in/") == ["gs://watched/in/a.csv", "gs://watched/in/b.txt"]
    assert seen("gs://watched/in/*.csv") == ["gs://watched/in/a.csv"]
    assert seen("gs://watched/other") == ["gs://watched/other"]
    assert seen("gs://watched/oth") == seen("gs://nowhere/x") == []


def test_an_object_that_is_written_again_is_another_version(tmp_path: Path, gcs_client: storage.Client) -> None:
    blob = gcs_client.create_bucket("again").blob("a")
    versions = set()
    for _ in range(2):
        blob.upload_from_string("x")
        [found] = look(tmp_path, "gs://again/a", {}, local=False)
        versions.add(found.version)
    assert len(versions) == 2
    assert (found.size, found.modified is not None) == (1, True)


def test_a_local_store_that_does_not_run_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(CannotLook, match="mage-project local up"):
        look(tmp_path, "gs://bucket/x", {}, local=True)
