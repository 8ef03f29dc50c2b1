"""A data lake in a bucket: tables that are folders of Parquet files and are replaced as a whole.

What replacing a table guarantees, and how:

1. The new files are uploaded below `_staging/<table>/<run>/` and compared by checksum. Where that fails, or the
   process is killed, the table is as it was, every byte of it.
2. One small object is written, `_staging/<table>/publish.json`: the list of the new files. This is the commit:
   until then the table is the old load, from then on it is the new one.
3. The staged files are copied to their names in the table, on the server. A file is replaced in one step, so that
   nobody reads half a day. Files that are not in the list are deleted, then the list itself, then the staged files.

An object store cannot replace several objects in one step. Who reads between 2 and the end of 3 may find new days
beside old ones, and can tell by publish.json being there. When the process is killed there, whoever uses the
table's lake next (the next run, before anything else) finishes 3 from the list, with no repair by hand. A file whose
bytes are the same is left alone. Of two runs that replace a table at once the later commit wins; where the earlier
one is not done yet, Google's generation checks make it stop, and the later one finishes what it began.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import google_crc32c
from google.api_core import exceptions as google_errors
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY

from taxi.lake_errors import GOOGLE_ERRORS, explained

THREADS = 8
RETRY_S = 60
CHUNK_BYTES = 4 * 1024 * 1024
ABANDONED_AFTER = timedelta(days=1)
_RETRY = DEFAULT_RETRY.with_timeout(RETRY_S)
_TABLE = re.compile(r"(?!_staging\b)[\w-][\w.=-]*(/[\w-][\w.=-]*)*")

#: crc32c and size in bytes: what makes two objects the same.
Content = tuple[str, int]
Blobs = dict[str, storage.Blob]
#: What publish.json holds: `run`, the folder in staging, and `objects`, the content of each file by its name there.
Load = dict[str, Any]


class Lake:
    """One table in a bucket. Every method raises OSError, saying what to do, where Google refuses or is away."""

    def __init__(self, client: storage.Client, bucket: str, table: str) -> None:
        if not _TABLE.fullmatch(table):
            raise ValueError(f"lake table {table!r}: a name can have letters, digits, _ - . and / between them")
        self._client = client
        self._bucket = client.bucket(bucket)
        self._table = table
        self._staging = f"_staging/{table}"
        self._marker_name = f"{self._staging}/publish.json"

    def recover(self) -> None:
        """Finish what a killed run committed; clear away what lies in staging for a day or longer."""
        with explained(self._bucket.name, "nothing was changed"):
            staged = self._listed(f"{self._staging}/")
            if staged.pop(self._marker_name, None):
                self._finish()
            self._delete(_abandoned(staged, self._staging))

    def replace(self, folder: Path) -> None:
        """Make the files below `folder` the whole of the table."""
        self.publish(self.stage(folder))

    def stage(self, folder: Path) -> Load:
        """Upload the files below `folder`, beside the table, which stays as it is."""
        run = f"{self._staging}/{datetime.now(timezone.utc):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        load: Load = {"run": run, "objects": {}}
        with explained(self._bucket.name, "the table is as it was"):
            try:
                contents = _in_threads(lambda name: _upload(self._bucket.blob(f"{run}/{name}"), files[name]), files)
            except BaseException:
                with suppress(*GOOGLE_ERRORS):  # the first error is the one to tell; recover() clears what stays
                    self.abandon(load)
                raise
        return {**load, "objects": dict(zip(files, contents, strict=True))}

    def publish(self, load: Load) -> None:
        """Make what was staged the whole of the table."""
        with explained(self._bucket.name, "if the commit arrived, the next run puts the new load in place"):
            self._commit(load)
        with explained(self._bucket.name, "the new load counts and waits in staging: the next run puts it in place"):
            self._finish()

    def abandon(self, load: Load) -> None:
        """Remove what was staged."""
        self._delete(self._listed(f"{load['run']}/").values())

    def _commit(self, load: Load) -> None:
        """Write the list of new files, after finishing what another run has committed meanwhile."""
        for _ in range(3):
            try:
                self._bucket.blob(self._marker_name).upload_from_string(
                    json.dumps(load, indent=1), "application/json", if_generation_match=0, retry=_RETRY
                )
                return
            except google_errors.PreconditionFailed:
                _, committed = self._committed()
                if committed and committed["run"] == load["run"]:
                    return  # it had arrived, and only the answer was lost
                self._finish()
        raise OSError(f"gs://{self._bucket.name}/{self._table}: other runs keep replacing this table. It holds theirs")

    def _committed(self) -> tuple[storage.Blob | None, Load | None]:
        """publish.json and what it holds, if it is there."""
        marker = self._bucket.get_blob(self._marker_name, retry=_RETRY)
        if marker is None:
            return None, None
        with suppress(google_errors.NotFound):  # finished by another process just now
            return marker, json.loads(marker.download_as_bytes(if_generation_match=marker.generation, retry=_RETRY))
        return None, None

    def _finish(self) -> None:
        """Make the table what publish.json lists. Doing that twice, or from two processes, changes nothing."""
        marker, load = self._committed()
        if marker is None or load is None:
            return
        present, staged = self._listed(f"{self._table}/"), self._listed(f"{load['run']}/")
        wanted = {f"{self._table}/{name}": name for name in load["objects"]}
        moves = {
            final: staged.get(f"{load['run']}/{name}")
            for final, name in wanted.items()
            if final not in present or _content(present[final]) != tuple(load["objects"][name])
        }
        if all(moves.values()):
            _in_threads(lambda final: self._put(moves[final], final, present.get(final)), moves)
            self._delete(blob for name, blob in present.items() if name not in wanted)
        else:
            warnings.warn(f"{self._table}: somebody deleted staged files; the last load stays unfinished", stacklevel=2)
        _delete(marker)
        self._delete(staged.values())

    def _put(self, staged: storage.Blob, name: str, old: storage.Blob | None) -> None:
        """Copy on the server, in one step, and only over the object that was seen there."""
        target = self._bucket.blob(name)
        token, generation = None, old.generation if old else 0
        try:
            while True:
                token, _, _ = target.rewrite(staged, token=token, if_generation_match=generation, retry=_RETRY)
                if token is None:
                    return
        except (google_errors.PreconditionFailed, google_errors.NotFound):
            now = self._bucket.get_blob(name, retry=_RETRY)
            if now is None or _content(now) != _content(staged):  # else another process finished the same load
                raise

    def _listed(self, prefix: str) -> Blobs:
        return {blob.name: blob for blob in self._client.list_blobs(self._bucket, prefix=prefix, retry=_RETRY)}

    def _delete(self, blobs: Iterable[storage.Blob]) -> None:
        _in_threads(_delete, list(blobs))


def _abandoned(staged: Blobs, staging: str) -> list[storage.Blob]:
    """The staged files of runs that staged nothing more for a day."""
    runs: dict[str, list[storage.Blob]] = {}
    for name, blob in staged.items():
        runs.setdefault(_run(name, staging), []).append(blob)
    before = datetime.now(timezone.utc) - ABANDONED_AFTER
    return [blob for blobs in runs.values() if max(blob.updated for blob in blobs) < before for blob in blobs]


def _run(staged_name: str, staging: str) -> str:
    """The run that staged a file: the folder right below `staging`."""
    return staged_name.removeprefix(f"{staging}/").partition("/")[0]


def _content(blob: storage.Blob) -> Content:
    return blob.crc32c, blob.size


def _upload(blob: storage.Blob, path: Path) -> Content:
    """Upload and compare: an emulator may not verify the checksum, as Google does."""
    blob.chunk_size = CHUNK_BYTES  # else Google's library takes a hundred megabytes at once
    blob.upload_from_filename(path, checksum="crc32c", retry=_RETRY)
    sent: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            sent.update(piece)
    if _content(blob) != (base64.b64encode(sent.digest()).decode(), path.stat().st_size):
        raise OSError(f"gs://{blob.bucket.name}/{blob.name}: what arrived is not what was sent. Run it again")
    return _content(blob)


def _delete(blob: storage.Blob) -> None:
    """Delete the object that was seen; nothing where it is gone or is another one by now."""
    with suppress(google_errors.NotFound, google_errors.PreconditionFailed):
        blob.delete(if_generation_match=blob.generation, retry=_RETRY)


def _in_threads(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """The work's results on all items, eight at a time; after a failure no more are begun, and it is raised."""
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for done in as_completed(futures):
                done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]
