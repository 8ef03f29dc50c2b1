"""Running pipelines of found projects: each in a copy, with stores of its own, in a web of taxi files."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from mage_project.local import LocalStack
from tests.conformance.answering import Web
from tests.conformance.box import THIS_CHECKOUT, Box, Ended
from tests.conformance.found import FoundPipeline, FoundProject
from tests.conformance.left import Left, left_in

#: What projects leave behind on the machine where they were written.
OLD = shutil.ignore_patterns(".git", ".mage_project", "__pycache__", ".variables", ".logs", ".file_versions")


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a pipeline ended. `cause` is None if it passed, else one line; `notes` say what was not as it was asked."""

    seconds: float
    cause: str | None
    notes: Sequence[str]
    before: Left
    left: Left

    @property
    def changed(self) -> set[str]:
        """The names of what is not as it was before."""
        return {name for name in self.before.keys() | self.left.keys() if self.before.get(name) != self.left.get(name)}


@dataclass(frozen=True, kw_only=True)
class Copy:
    """A copy of a project, with a local stack that runs."""

    root: Path
    stack: LocalStack
    box: Box
    web: Web
    timeout_s: float
    variables: Mapping[str, str]

    @classmethod
    def of(
        cls, project: FoundProject, folder: Path, web: Web, *, timeout_s: float, variables: Mapping[str, str]
    ) -> Copy:
        root = folder / "src" / project.root.name  # in Mage's image a project is a folder of /home/src
        shutil.copytree(project.root, root, ignore=OLD, symlinks=True)
        stack = LocalStack(root)
        stack.up()
        box = Box(folder=folder, stores={})
        return cls(root=root, stack=stack, box=box, web=web, timeout_s=timeout_s, variables=variables)

    def put_missing(self, pipeline: FoundPipeline) -> None:
        """Put the objects that nobody wrote into their buckets, as far as their names say what they hold."""
        options = {"api_endpoint": self.stack.env(("gcs",))["STORAGE_EMULATOR_HOST"]}
        client = storage.Client(project="local", credentials=AnonymousCredentials(), client_options=options)
        for bucket, key in pipeline.objects():
            answer = self.web.files.object(key)
            self.stack.ensure_buckets([bucket])
            blob = client.bucket(bucket).blob(key)
            if answer and not blob.exists():
                blob.upload_from_filename(answer.path)
                self.web.note(answer.note or f"{key} was put into its bucket")
        client.close()

    def run(self, command: Sequence[str | Path], env: Mapping[str, str]) -> tuple[Ended | None, float]:
        """The command's end (None where it took too long) and the seconds until then; nothing of it lives on."""
        began = time.monotonic()
        with subprocess.Popen(
            [str(word) for word in command],
            cwd=self.root.parent,
            env={**self.box.env, **self.web.env, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=self.timeout_s)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                return None, time.monotonic() - began
        return Ended(exit_code=process.returncode, out=out, err=err), time.monotonic() - began

    def left(self) -> Left:
        return left_in(self.stack.env(), self.root.parent)

    def take_notes(self) -> list[str]:
        notes, self.web.notes = self.web.notes, []
        return notes


@dataclass(frozen=True, kw_only=True)
class OurRuns:
    """`mage-project run --local`, as somebody would who has just cloned the project."""

    commands: Path
    copy: Copy

    def run(self, pipeline: FoundPipeline, *, look: bool) -> Run:
        self.copy.put_missing(pipeline)
        before = self.copy.left() if look else {}
        command = (
            self.commands / "mage-project",
            "run",
            pipeline.uuid,
            "--local",
            "--json",
            "--project",
            self.copy.root,
            *(word for name, value in self.copy.variables.items() for word in ("--var", f"{name}={value}")),
        )
        if look and pipeline.checks:  # as often as in Mage, where it takes two runs
            self.copy.run(command, THIS_CHECKOUT)
        ended, seconds = self.copy.run(command, THIS_CHECKOUT)
        after = self.copy.left() if look else {}
        return Run(seconds=seconds, cause=our_cause(ended), notes=self.copy.take_notes(), left=after, before=before)


def our_cause(ended: Ended | None) -> str | None:
    """None, or one line: the block and its error."""
    if ended is None:
        return "it takes too long"
    if ended.exit_code == 0:
        return None
    try:
        outcome = json.loads(ended.out)
    except ValueError:
        return one_line(ended.said) or f"exit code {ended.exit_code}"
    blocks = [f"{block['uuid']}: {block['error']}" for block in outcome.get("blocks", ()) if block.get("error")]
    return one_line(blocks[0] if blocks else outcome.get("error") or ended.err)


def one_line(text: str) -> str:
    """What an error says and where; of a traceback its last error."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("next:")]
    if any(line.startswith("Traceback") for line in lines):
        lines = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)][-1:] or lines[-1:]
    return " ".join(lines[:3])[:400]
