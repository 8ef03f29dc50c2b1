"""Loaded by every Python that the suite starts: nothing leaves this machine, nothing is written into the repository.

What is tried anyway is refused, and noted in the file that CONFORMANCE_REFUSED names.
"""

import os
import socket
import sys

NOTES = os.environ["CONFORMANCE_REFUSED"]
REPOSITORY = os.environ["CONFORMANCE_REPOSITORY"] + os.sep
HERE = {"127.0.0.1", "::1", "localhost", "", socket.gethostname()}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def watch(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        refuse_other_machine(args[1][0])
    elif event == "socket.getaddrinfo":
        refuse_other_machine(args[0] or "")
    elif event == "os.mkdir" or (event == "open" and args[2] & WRITING and not isinstance(args[0], int)):
        refuse_repository(args[0])


def refuse_other_machine(host):
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name not in HERE:
        refuse(f"a connection to {name}")


def refuse_repository(path):
    if os.path.abspath(os.fsdecode(path)).startswith(REPOSITORY):  # noqa: PTH100 - pathlib's import takes longer
        refuse(f"writing {path}")


def refuse(what):
    with open(NOTES, "a") as notes:  # noqa: PTH123
        notes.write(f"{what}, by {sys.argv}\n")
    raise PermissionError(f"the conformance suite refuses {what}")


sys.addaudithook(watch)
if "CONFORMANCE_AUTHORITY" in os.environ:
    import trusting_duckdb

    trusting_duckdb.install(os.environ["CONFORMANCE_AUTHORITY"])
