"""Months from a web site: kept, asked about, resumed, checked; over a real connection to a server that misbehaves."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from taxi import cache
from taxi.files import RELEASES, trip_file
from taxi.months import Month
from tests.taxi.making import TRIP, text
from tests.taxi.site import Site, cut, page, serving, status

GREEN = Month(service="green", month="2020-10")
NAME = "green_tripdata_2020-10.csv.gz"
PATH = f"/tlc/green/{NAME}"
CONTENT = gzip.compress(b"".join(text(TRIP.replace("7.88", str(n))) for n in range(5000)), mtime=0)
OTHER = gzip.compress(text(TRIP), mtime=0)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(cache, "PAUSE_S", 0.001)
    with serving() as site:
        site.files[PATH] = CONTENT
        yield site


@pytest.fixture
def fetch(site: Site, tmp_path: Path) -> Callable[..., bytes]:
    """Get the month through the cache of this test."""

    def fetch(source: str = f"{site.url}/tlc", **options: object) -> bytes:
        return trip_file(source, GREEN, project=tmp_path, **options).path.read_bytes()

    return fetch


Fetch = Callable[..., bytes]


def parts(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if ".part" in path.name]


def test_the_releases_are_the_course_s() -> None:
    assert RELEASES == "https://github.com/DataTalksClub/nyc-tlc-data/releases/download"


def test_a_month_is_downloaded_once_and_asked_about_again(fetch: Fetch, site: Site, tmp_path: Path) -> None:
    assert fetch() == fetch() == CONTENT
    first, second = site.asked
    assert first["If-None-Match"] is None
    assert second["If-None-Match"]
    assert parts(tmp_path) == []


def test_the_cache_is_where_taxi_cache_says(fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAXI_CACHE", str(tmp_path / "else where"))
    fetch()
    assert [path.name for path in (tmp_path / "else where").rglob("*.csv.gz")] == [NAME]


def test_what_is_kept_is_noted_beside_it(fetch: Fetch, site: Site, tmp_path: Path) -> None:
    fetch()
    [note] = tmp_path.rglob("*.csv.gz.json")
    noted = json.loads(note.read_text())
    assert noted["url"] == f"{site.url}{PATH}"
    assert noted["size_bytes"] == len(CONTENT)
    assert noted["sha256"] == trip_file(f"{site.url}/tlc", GREEN, project=tmp_path).sha256


def test_a_changed_month_replaces_the_kept_one(fetch: Fetch, site: Site) -> None:
    fetch()
    site.files[PATH] = OTHER
    assert fetch() == OTHER


def test_a_download_goes_on_where_the_connection_was_cut(fetch: Fetch, site: Site) -> None:
    site.troubles = [cut(5000), cut(2000)]
    assert fetch() == CONTENT
    assert [asked["Range"] for asked in site.asked] == [None, "bytes=5000-", "bytes=7000-"]


def test_the_next_run_goes_on_too(fetch: Fetch, site: Site) -> None:
    site.troubles = [cut(5000)] + [status(503)] * cache.TRIES
    with pytest.raises(ConnectionError, match="the server answered 503"):
        fetch()
    assert fetch() == CONTENT
    assert site.asked[-1]["Range"] == "bytes=5000-"


def test_a_file_that_changed_between_two_parts_is_taken_from_its_start(fetch: Fetch, site: Site) -> None:
    def change(handler: object) -> None:
        cut(5000)(handler)
        site.files[PATH] = OTHER * 60

    site.troubles = [change]
    assert fetch() == OTHER * 60


def test_nothing_is_resumed_where_the_server_marks_no_versions(fetch: Fetch, site: Site) -> None:
    site.etags = False
    site.troubles = [cut(5000)]
    assert fetch() == CONTENT
    assert site.asked[-1]["Range"] is None


def test_a_part_that_does_not_fit_is_thrown_away(fetch: Fetch, site: Site, tmp_path: Path) -> None:
    site.troubles = [cut(5000)] + [status(500)] * cache.TRIES
    with pytest.raises(ConnectionError):
        fetch()
    [part] = tmp_path.rglob("*.part")
    part.write_bytes(b"\x1f\x8b" + b"?" * 4998)
    assert fetch() == CONTENT


def test_a_complete_part_is_not_asked_for_beyond_its_end(fetch: Fetch, site: Site, tmp_path: Path) -> None:
    site.troubles = [cut(5000)] + [status(500)] * cache.TRIES
    with pytest.raises(ConnectionError):
        fetch()
    [part] = tmp_path.rglob("*.part")
    part.write_bytes(CONTENT)
    assert fetch() == CONTENT


@pytest.mark.parametrize("code", [408, 429, 500, 503])
def test_passing_troubles_are_tried_again(fetch: Fetch, site: Site, code: int) -> None:
    site.troubles = [status(code)] * (cache.TRIES - 1)
    assert fetch() == CONTENT


def test_the_server_says_how_long_to_wait(fetch: Fetch, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PAUSE_S", 3600)
    site.troubles = [status(429, Retry_After="0"), status(503, Retry_After="Thu, 01 Jan 1970 00:00:00 GMT")]
    assert fetch() == CONTENT


def test_a_server_that_stays_away_is_named(fetch: Fetch, site: Site) -> None:
    site.troubles = [status(503)] * cache.TRIES
    with pytest.raises(ConnectionError, match=r"2020-10\.csv\.gz: the server answered 503 .*tried 5 times"):
        fetch()


FINAL = {
    "404": (status(404), FileNotFoundError, "this month is not published there. Check the months and the source"),
    "403": (status(403), PermissionError, "it may not be read"),
    "401": (status(401), PermissionError, "it may not be read"),
    "418": (status(418), OSError, "answered 418"),
    "a page": (page, ValueError, r"this is a web page \(HTML\)"),
}


@pytest.mark.parametrize(("trouble", "kind", "message"), FINAL.values(), ids=FINAL)
def test_other_answers_are_errors_at_once(
    fetch: Fetch, site: Site, tmp_path: Path, trouble: object, kind: type[Exception], message: str
) -> None:
    site.troubles = [trouble]
    with pytest.raises(kind, match=f"{re.escape(site.url + PATH)}: .*{message}"):
        fetch()
    assert len(site.asked) == 1
    assert fetch() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-50], CONTENT[:900] + b"?" + CONTENT[901:]], ids=["truncated", "flipped"])
def test_a_damaged_month_is_not_kept(fetch: Fetch, site: Site, tmp_path: Path, content: bytes) -> None:
    site.files[PATH] = content
    with pytest.raises(ValueError, match="the gzip data is"):
        fetch()
    assert not list(tmp_path.rglob("*.csv.gz"))
    site.files[PATH] = CONTENT
    assert fetch() == CONTENT


def test_a_damaged_new_issue_leaves_the_kept_one(fetch: Fetch, site: Site, tmp_path: Path) -> None:
    fetch()
    site.files[PATH] = OTHER[:-4]
    with pytest.raises(ValueError, match="cut off"):
        fetch()
    [kept] = tmp_path.rglob("*.csv.gz")
    assert kept.read_bytes() == CONTENT


def test_without_a_connection_the_kept_month_is_used_and_that_is_said(fetch: Fetch, site: Site) -> None:
    fetch()
    site.troubles = [status(503)] * cache.TRIES_WITH_COPY
    with pytest.warns(UserWarning, match=r"503 .*: using the copy of \d{4}-\d\d-\d\d \d\d:\d\d as it is"):
        assert fetch() == CONTENT


def test_a_refused_connection_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PAUSE_S", 0.001)
    with pytest.raises(ConnectionError, match="Connection refused"):
        trip_file("http://127.0.0.1:9/tlc", GREEN, project=tmp_path)


def test_a_kept_file_that_was_altered_is_downloaded_again(fetch: Fetch, tmp_path: Path) -> None:
    fetch()
    [kept] = tmp_path.rglob("*.csv.gz")
    kept.write_bytes(OTHER)
    with pytest.warns(UserWarning, match="not as it was downloaded"):
        assert fetch() == CONTENT


def test_progress_is_told(fetch: Fetch) -> None:
    told: list[tuple[int, int | None, str]] = []
    fetch(progress=lambda *news: told.append(news))
    assert told[-1] == (len(CONTENT), len(CONTENT), NAME)


def test_secrets_of_the_source_are_sent_and_never_shown(fetch: Fetch, site: Site, tmp_path: Path) -> None:
    secret = f"{site.url.replace('//', '//me:s3cret@')}/tlc?sig=s3cret"
    assert fetch(secret) == CONTENT
    assert site.asked[0]["Authorization"]
    site.troubles = [status(404)]
    with pytest.raises(FileNotFoundError) as error:
        fetch(secret)
    assert "s3cret" not in str(error.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"s3cret" in path.read_bytes()]


def test_two_runs_at_once_download_once(site: Site, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from taxi.files import trip_file; from taxi.months import Month\n"
        "file = trip_file(sys.argv[1], Month(service='green', month='2020-10'), project=Path(sys.argv[2]))\n"
        "print(file.sha256)"
    )
    command = [sys.executable, "-c", program, f"{site.url}/tlc", tmp_path]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert len({process.communicate()[0] for process in both}) == 1
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(bool(asked["If-None-Match"]) for asked in site.asked) == [False, True]


def test_a_full_disk_is_named_and_leaves_nothing_that_is_in_the_way(site: Site, tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys; from pathlib import Path\n"
        "from taxi.files import trip_file; from taxi.months import Month\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        "try:\n    trip_file(sys.argv[1], Month(service='green', month='2020-10'), project=Path(sys.argv[2]))\n"
        "except OSError as error:\n    print(error)"
    )
    command = [sys.executable, "-c", program, f"{site.url}/tlc", tmp_path]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "the download could not be written (File too large). Make room there, or name another folder" in said
    assert parts(tmp_path) == []


@pytest.mark.parametrize("source", ["s3://bucket", "ftp://host/x", "http://", "gs://"])
def test_other_places_are_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(ValueError, match="source"):
        trip_file(source, GREEN, project=tmp_path)


def test_a_prefix_with_spaces_quotes_and_dots_stays_in_the_cache(fetch: Fetch, site: Site, tmp_path: Path) -> None:
    site.files["/a%20'b'/green/green_tripdata_2020-10.csv.gz"] = OTHER
    before = set(tmp_path.parent.iterdir())
    assert fetch(f"{site.url}/x/../a 'b'/") == OTHER
    assert set(tmp_path.parent.iterdir()) == before


def test_a_folder_for_downloads_that_cannot_be_made_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TAXI_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OSError, match=r"file/cache: the folder for downloads could not be made .* TAXI_CACHE"):
        trip_file("http://127.0.0.1:9", GREEN, project=tmp_path)
