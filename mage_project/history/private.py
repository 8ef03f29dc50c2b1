"""What runs keep is for its user alone: rows, variables and logs may hold personal data and secrets.

A team that shares what its runs keep gives `.mage_project` to its group: `chgrp TEAM .mage_project; chmod g+rws
.mage_project`. What is made there from then on is the group's as well, and still nobody else's.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from mage_project.errors import UsageError

#: The project's folder for all that runs keep. Others may look into it: the local stack's servers have their own users.
TOP = ".mage_project"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def folder(path: Path) -> Path:
    """Make the folder, and those above it, where they are not there; return it. Raises OSError.

    Of an older version's folder that everybody may enter the same becomes true.
    """
    top = _top(path)
    for each in [*reversed([each for each in path.parents if top in each.parents]), path]:
        _enter(each, _group(top))
    return path


def file(path: Path) -> Path:
    """Make the file, empty, where it is not there: what opens it by its path leaves its rights as they are."""
    group = _group(_top(path))
    with suppress(FileExistsError):
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if group:
                os.fchmod(number, 0o660)
        finally:
            os.close(number)
    return path


def check(folder: Path) -> None:
    """`UsageError` where another user has kept what is there; nothing where there is no such folder."""
    try:
        os.scandir(folder).close()
    except PermissionError:
        raise UsageError(
            "what was kept is another user's, who alone may read it",
            where=str(folder),
            hint=f"run this as that user, or give {TOP} to a group that you share: docs/runs.md",
        ) from None
    except OSError:
        return


def _top(path: Path) -> Path:
    """The `.mage_project` that the path is in; made, and kept out of repositories. Else the folder above."""
    top = next((each for each in path.parents if each.name == TOP), None)
    if top is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.parent
    top.mkdir(parents=True, exist_ok=True)
    ignore = top / ".gitignore"
    with suppress(OSError):  # the folder may be another's, who has made it for others to look into
        if not ignore.exists():
            with ignore.open("x") as file:
                file.write("*\n")
    return top


def _group(top: Path) -> bool:
    """Whether the folder is a group's, which was given it on purpose."""
    wanted = stat.S_ISGID | stat.S_IWGRP
    return top.name == TOP and top.stat().st_mode & wanted == wanted


def _enter(path: Path, group: bool) -> None:
    mode = 0o2770 if group else 0o700
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        status = path.stat()
        if not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "no folder", str(path)) from None
        if path.is_symlink():  # what it points to has rights of its own, for others who use it
            return
        if group or not status.st_mode & _OTHERS or status.st_uid != os.getuid():
            return
    if group or path.stat().st_mode & _OTHERS:
        path.chmod(mode)
