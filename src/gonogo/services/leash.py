"""Becomes a server that cannot outlive the process that asked for it.

Run by path in a Python of its own (never imported by the rest), because the work between fork and
exec must not happen in a process that has threads, and because the user must be changed before
the leash is tied: a change of user cuts it.

    leash.py PARENT SIGNAL UID GID COMMAND...        (UID and GID are - to stay who we are)
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def become(uid: str, gid: str) -> None:
    """Give up root for the given user, with no further groups."""
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))


def tie(libc: ctypes.CDLL, parent: int, number: int) -> None:
    """Ask the kernel to signal this process when `parent` ends; elsewhere than Linux do nothing."""
    if not sys.platform.startswith("linux"):
        return
    if libc.prctl(SET_PARENT_DEATH_SIGNAL, number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl refused to tie the server to its parent")
    if os.getppid() != parent:  # it ended before the leash was tied
        sys.exit(1)


def main(arguments: list[str]) -> None:
    """Change the user, tie the leash, become the server."""
    parent, number, uid, gid, *command = arguments
    libc = ctypes.CDLL(None, use_errno=True)  # loaded while we may still read our own Python
    try:
        become(uid, gid)
        tie(libc, int(parent), int(number))
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, a server must not
            signal.signal(ignored, signal.SIG_DFL)
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"cannot start `{command[0]}`: {error}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
