from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from mage_project.errors import ConfigError, MageProjectError, StoreError
from mage_project.io import commits
from mage_project.io.file import FileIO
from mage_project.io.marks import Mark


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame({"n": [1, 2], "t": ["a", None]})


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address at which the files of `tmp_path` are served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Silence."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("ending", "csv csv.gz csv.xz json json.gz ndjson jsonl parquet xlsx xml".split())
@pytest.mark.parametrize("is_stream", [False, True], ids=["frame", "stream"])
def test_a_frame_and_a_stream_come_back(tmp_path, frame, ending, is_stream):
    path = tmp_path / f"trips.{ending}"
    FileIO().export(iter([frame, frame]) if is_stream else frame, path)
    assert FileIO().load(path)["n"].tolist() == [1, 2] * (1 + is_stream)
    assert names(tmp_path) == [path.name]


def test_a_csv_of_a_stream_is_numbered_like_that_of_a_frame(tmp_path, frame):
    FileIO().export(iter([frame, frame]), tmp_path / "stream.csv")
    FileIO().export(pd.concat([frame, frame], ignore_index=True), tmp_path / "frame.csv")
    assert (tmp_path / "stream.csv").read_text() == (tmp_path / "frame.csv").read_text()


def test_a_format_whose_package_is_missing_says_which(tmp_path, frame, monkeypatch):
    monkeypatch.setitem(sys.modules, "tables", None)
    with pytest.raises(ConfigError, match=r"hdf5 need the package tables[^$]*pip install tables"):
        FileIO().export(frame, tmp_path / "trips.hdf5")
    assert names(tmp_path) == []


def test_options_go_to_pandas(tmp_path, frame):
    FileIO().export(frame, tmp_path / "trips.csv", index=False, sep=";")
    assert FileIO().load(tmp_path / "trips.csv", sep=";", usecols=["n"]).columns.tolist() == ["n"]


def test_an_iterator_that_breaks_leaves_the_file_as_it_was(tmp_path, frame, failing):
    path = tmp_path / "trips.csv"
    FileIO().export(frame, path)
    with pytest.raises(RuntimeError, match=r"the source broke"):
        FileIO().export(failing(frame), path)
    assert len(FileIO().load(path)) == 2
    assert names(tmp_path) == ["trips.csv"]


def test_an_os_error_of_the_iterator_is_the_iterators(tmp_path, frame):
    def frames() -> Iterator[pd.DataFrame]:
        yield frame
        raise ConnectionResetError(errno.ECONNRESET, "the source hung up")

    with pytest.raises(ConnectionResetError):
        FileIO().export(frames(), tmp_path / "trips.csv")


def test_a_collected_file_appears_with_the_commit(tmp_path, frame):
    path = tmp_path / "trips.csv"
    with commits.collecting() as collected:
        FileIO().export(frame, path)
    assert not path.exists()
    collected.commit_all()
    assert names(tmp_path) == ["trips.csv"]


def test_a_collected_file_can_be_rolled_back(tmp_path, frame):
    with commits.collecting() as collected:
        FileIO().export(frame, tmp_path / "trips.csv")
    collected.rollback_all()
    assert names(tmp_path) == []


def test_several_files_load_as_one_frame(tmp_path, frame):
    for name in ("a", "b"):
        FileIO().export(frame, tmp_path / f"{name}.parquet")
    assert len(FileIO().load(file_directories=[tmp_path])) == 4
    assert len(FileIO().load(file_directories=[tmp_path], limit=3)) == 3


def test_a_missing_file_is_an_error_with_the_one_that_may_be_meant(tmp_path, frame):
    FileIO().export(frame, tmp_path / "trips.csv")
    with pytest.raises(StoreError, match=r"there is no file .*Did you mean 'trips.csv'"):
        FileIO().load(tmp_path / "trip.csv")
    assert FileIO().exists(tmp_path / "trips.csv")


def test_an_address_is_read_as_in_mage(tmp_path, frame, served):
    FileIO().export(frame, tmp_path / "trips.parquet")
    address = f"{served}/trips.parquet"
    assert FileIO().load(f"{address}?token=hidden")["n"].tolist() == [1, 2]
    with pytest.raises(StoreError, match="404") as caught:
        FileIO().load(f"{served}/none.csv?token=hidden")
    assert (caught.value.where, "hidden" in str(caught.value)) == (f"{served}/none.csv", False)
    with pytest.raises(StoreError, match="FileIO writes files"):
        FileIO().export(frame, address)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("foo://u:hidden@host/x.csv?token=hidden", "fsspec|Protocol not known"),
        ("http://u:hidden@127.0.0.1/a b.csv?t=hidden", "write a space as %20"),
        ("http://u:hidden@localhost/a.csv?t=hidden", "a port that is no number"),
        ("http://u:hidden@[bad/x.csv?t=hidden", r"no such host name\n  where: http://\[bad/x.csv"),
        ("file:///none/x.csv?t=hidden", "No such file"),
    ],
    ids=["scheme", "space", "port", "host", "file"],
)
def test_an_address_that_cannot_be_read_is_told_without_its_secrets(address, message):
    with pytest.raises(MageProjectError, match=message) as caught:
        FileIO().load(address)
    assert "hidden" not in str(caught.value)


def test_a_missing_folder_is_an_error(tmp_path, frame):
    with pytest.raises(StoreError, match=r"there is no folder"):
        FileIO().export(frame, tmp_path / "none" / "trips.csv")


@pytest.mark.parametrize(
    ("name", "content"),
    [("trips.parquet", b"<html>"), ("trips.csv.gz", b"<html>"), ("trips.json", b"{"), ("trips.csv", b"")],
)
def test_a_file_that_is_not_what_its_ending_says_is_told(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StoreError, match=f"'{name}' cannot be read as"):
        FileIO().load(tmp_path / name)


@pytest.mark.parametrize("settles", [False, True], ids=["while it is written", "before the commit"])
def test_what_a_killed_run_has_left_goes_with_the_next_export(tmp_path, frame, settles):
    path = tmp_path / "trips.csv"
    FileIO().export(frame, path)
    script = (
        "import os, sys\n"
        "import pandas as pd\n"
        "from mage_project.io import commits\n"
        "from mage_project.io.file import FileIO\n"
        "frame = pd.DataFrame({'n': [3]})\n"
        "def frames():\n"
        "    yield frame\n"
        "    yield frame\n"
        f"    {settles} or os.kill(os.getpid(), 9)\n"
        "with commits.collecting(commits.Commits(settles=True)):\n"
        "    FileIO().export(frames(), sys.argv[1])\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, path], check=False).returncode == -9
    assert sorted(name.rpartition(".")[2] for name in names(tmp_path)) == ["csv", "lock", "old" if settles else "part"]
    assert len(FileIO().load(file_directories=[tmp_path])) == 2
    with pytest.raises(StoreError, match="cannot be exported"):
        FileIO().export(None, path)
    assert FileIO().load(path)["n"].tolist() == [1, 2], "the uncommitted rows are undone"
    assert names(tmp_path) == ["trips.csv"]
    with commits.collecting() as collected:
        FileIO().export(frame, path)
        FileIO().export(frame, path)
    assert len(names(tmp_path)) == 5, "what is on its way stays"
    collected.commit_all()
    assert names(tmp_path) == ["trips.csv"]


@pytest.mark.parametrize("is_written_since", [False, True])
def test_what_was_written_after_a_killed_run_is_never_undone(tmp_path, is_written_since):
    path, old = tmp_path / "trips.csv", tmp_path / ".trips.csv.0123abcd.old"
    path.write_text("uncommitted")
    old.write_text("good")
    status = path.stat()
    old.with_suffix(".lock").write_text(f"{status.st_ino} {status.st_size} {status.st_mtime_ns}")
    if is_written_since:
        path.write_text("somebody's own")
    Mark(path).close()
    assert path.read_text() == ("somebody's own" if is_written_since else "good")
    assert names(tmp_path) == ["trips.csv"]


def test_half_a_copy_of_the_old_file_is_never_put_in_its_place(tmp_path):
    path = tmp_path / "trips.csv"
    for ending, text in {"part": "new", "old": "go", "lock": ""}.items():
        (tmp_path / f".trips.csv.0123abcd.{ending}").write_text(text)
    path.write_text("good")
    Mark(path).close()
    assert path.read_text() == "good"
    assert names(tmp_path) == ["trips.csv"]


def test_a_lock_that_was_swept_before_it_was_held_is_made_anew(tmp_path, monkeypatch):
    real, swept = fcntl.flock, []

    def late(number: int, how: int) -> None:
        if not swept:
            swept.extend(tmp_path.glob(".*.lock"))
            swept[0].unlink()
        real(number, how)

    monkeypatch.setattr("mage_project.io.marks.fcntl.flock", late)
    mark = Mark(tmp_path / "trips.csv")
    assert [path.with_suffix(".part") for path in tmp_path.glob(".*.lock")] == [mark.beside]
    mark.close()
    assert names(tmp_path) == []


@pytest.mark.parametrize("is_copied", [False, True], ids=["no copy", "no rename"])
def test_an_old_file_that_cannot_be_kept_leaves_nothing(tmp_path, frame, monkeypatch, is_copied):
    def half(_: Path, old: Path) -> None:
        old.write_text("n,")
        if not is_copied:
            raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "trips.csv"
    FileIO().export(frame, path)
    monkeypatch.setattr("mage_project.io.placing._keep", half)
    if is_copied:
        monkeypatch.setattr(Mark, "announce", lambda self: (tmp_path / "none").stat())
    with commits.collecting(commits.Commits(settles=True)), pytest.raises(StoreError, match="cannot be written"):
        FileIO().export(frame.assign(n=3), path)
    assert FileIO().load(path)["n"].tolist() == [1, 2]
    assert names(tmp_path) == ["trips.csv"]


def test_a_full_disk_is_told_and_leaves_nothing(frame):
    if os.geteuid() != 0:
        pytest.skip("only root mounts a small file system")
    folder = Path("/tmp") / f"small-{os.getpid()}"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], check=False)
    if mounted.returncode:
        folder.rmdir()
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(StoreError, match=r"No space left"):
            FileIO().export((pd.DataFrame({"n": range(10_000)}) for _ in range(10)), folder / "trips.csv")
        assert list(folder.iterdir()) == []
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()
