"""One writer per folder: who works in it holds a lock, which the operating system takes back when the process ends."""

import errno
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".lock"
WITHOUT_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS)  # file systems that have none


class InUseError(OSError):
    """Another process writes into the folder; the message says which, and since when."""


@contextmanager
def held(folder: Path | str, patience: float = 3.0) -> Iterator[None]:
    """Hold the lock of a folder.

    It does not outlive its process: after a crash, a kill or a power cut, the next one simply gets it.

    Parameters
    ----------
    folder : Path or str
        The folder, which must exist.
    patience : float
        Seconds to wait for it, which the helpers of a killed process need to end.

    Raises
    ------
    InUseError
        If another process holds it.
    OSError
        If the folder cannot be written into.
    """
    path = Path(folder) / LOCK
    descriptor = _take(path, time.monotonic() + patience)
    try:
        who = {"process": os.getpid(), "computer": platform.node(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        with suppress(OSError):  # a full disk: the lock holds without the words
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(who).encode(), 0) if hasattr(os, "pwrite") else None
        yield
    finally:
        if os.name == "posix":
            with suppress(OSError):
                path.unlink()  # while it is held, so that nobody else's is removed
        os.close(descriptor)


def _take(path: Path, until: float) -> int:
    """Return the open and locked file of a path."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        if _lock(descriptor):
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    return descriptor
            os.close(descriptor)  # who held it before has removed it meanwhile
            continue
        os.close(descriptor)
        if time.monotonic() > until:
            raise InUseError(_in_use(path))
        time.sleep(0.05)


def _lock(descriptor: int) -> bool:
    """Lock an open file; return whether it is ours now."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in WITHOUT_LOCKS
    return True


def _in_use(path: Path) -> str:
    """Say who holds a lock."""
    who = "another process"
    with suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(path.read_text(encoding="utf-8"))
        who = f"process {kept['process']} on {kept['computer']}, since {kept['since']}"
    return f"{path.parent} is in use by {who}: wait until it has finished, stop it, or choose another folder"
