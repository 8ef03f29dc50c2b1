"""The user that the servers run as: Postgres refuses root, and nothing that listens should be root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from mage_project.errors import ConfigError

#: Users for the servers of root, in this order of preference.
STAND_INS = ("postgres", "nobody")


class SpawnOptions(TypedDict, total=False):
    """What `subprocess` is told to run a program as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, kw_only=True)
class Account:
    """An existing user of this machine."""

    name: str
    uid: int
    gid: int


def server_account(folder: Path) -> Account | None:
    """Who runs the server that writes to `folder`: None means whoever asks.

    For root it is the owner of the folder, where it is there and not root's, else the first of STAND_INS.
    Raises ConfigError where root finds none of them.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        return _owner(folder)
    for name in STAND_INS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise ConfigError(
        f"Root's servers must run as another user, and there is none of {', '.join(STAND_INS)}.",
        hint="Make one (`useradd --system postgres`), or run this as an ordinary user.",
    )


def _owner(folder: Path) -> Account:
    info = folder.stat()
    return Account(name=owner_name(folder), uid=info.st_uid, gid=info.st_gid)


def owner_name(path: Path) -> str:
    """The name of the owner of `path`, or its number where it has no name."""
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def spawn_options(account: Account | None) -> SpawnOptions:
    """What makes `subprocess` run a program as `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def hand_over(path: Path, account: Account | None) -> None:
    """Makes `path` (and nothing above or below it) the account's own."""
    if account is not None:
        os.chown(path, account.uid, account.gid)
