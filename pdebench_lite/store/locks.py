"""The lock of a results folder, which processes of several machines may share.

It is a POSIX lock on the regular file `.lock`, since those work on NFS too; a lock on the folder
itself does not. Where the file system has none (some mounts of Lustre, NFS without its lock
service), a file made by exclusive create takes its place, and that is said once.
"""

import errno
import fcntl
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = ".lock"
_HELD, _BREAKING = ".lock-held", ".lock-breaking"
_STALE = 30.0  # seconds after which the holder of a file has died: it is held for milliseconds
_PAUSE = 0.01  # between tries to make it
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}

# A POSIX lock is that of a process: its threads wait here, and never have the file open twice.
_threads = threading.Lock()
_told: set[Path] = set()


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Hold the lock of a folder; not to be nested.

    Raises:
        OSError: the lock file cannot be made or opened.
    """
    with _threads:
        handle = _opened(root)
        try:
            if _lock(handle):
                yield
            else:
                _tell(root)
                with _by_name(root):
                    yield
        finally:
            os.close(handle)  # gives the lock back


def _opened(root: Path) -> int:
    """Open the lock file; whoever may write into the folder may lock it."""
    path = root / LOCK
    with suppress(FileExistsError):
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        os.fchmod(made, 0o600 | root.stat().st_mode & 0o666)
        return made
    return os.open(path, os.O_RDWR)


def _lock(handle: int) -> bool:
    """Wait for the lock; returns whether the file system has locks."""
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True


def _tell(root: Path) -> None:
    if root not in _told:
        _told.add(root)
        logging.getLogger("pdebench_lite").warning(
            "pdebench: the file system of '%s' has no locks; runners that share it take turns by "
            "a file, %s",
            root,
            _HELD,
        )


@contextmanager
def _by_name(root: Path) -> Iterator[None]:
    """Hold the folder by a file that only one can make."""
    while not _made(root / _HELD):
        if _age(root, root / _HELD) > _STALE:
            _break(root)
        else:
            time.sleep(_PAUSE)
    try:
        yield
    finally:
        (root / _HELD).unlink(missing_ok=True)


def _break(root: Path) -> None:
    """Remove the file of a holder that died; one process at a time, which looks again first."""
    if not _made(root / _BREAKING):
        if _age(root, root / _BREAKING) > _STALE:
            (root / _BREAKING).unlink(missing_ok=True)
        time.sleep(_PAUSE)
        return
    if _age(root, root / _HELD) > _STALE:
        (root / _HELD).unlink(missing_ok=True)
    (root / _BREAKING).unlink(missing_ok=True)


def _made(path: Path) -> bool:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
    except FileExistsError:
        return False
    return True


def _age(root: Path, path: Path) -> float:
    """Return how old a file is by the file system's own clock; 0 if it is gone."""
    try:
        return file_clock(root) - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def file_clock(root: Path) -> float:
    """Return the time of day by the clock of a folder's file system, which may be a server's.

    Where nothing can be written this machine's clock must do.
    """
    try:
        with tempfile.TemporaryFile(dir=root) as probe:
            return os.fstat(probe.fileno()).st_mtime
    except OSError:
        return time.time()
