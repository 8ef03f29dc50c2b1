"""The process that outlives its users: it stops the servers when the last user is gone, however that one died.

`python -m mage_project.local.watcher FOLDER`. One per stack. Every user of a stack holds a shared lock on
`users.lock`; the watcher asks for the exclusive one, and the kernel grants it when no user is left.
"""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from mage_project.local.daemons import LOCK_DESCRIPTOR
from mage_project.local.folders import StackFolder
from mage_project.local.locks import close_lock, held, open_lock
from mage_project.local.shutdown import stop_servers


def watch(folder: StackFolder) -> None:
    """Waits until nobody uses the stack, then stops what is not detached."""
    users = open_lock(folder.users_lock)
    fcntl.flock(users, fcntl.LOCK_EX)
    with held(folder.start_lock):
        stop_servers(folder, detached=False)
    # The own lock goes first: whoever gets the users' lock next must see that it needs a new watcher.
    os.close(LOCK_DESCRIPTOR)
    close_lock(users)


if __name__ == "__main__":
    watch(StackFolder(Path(sys.argv[1])))
