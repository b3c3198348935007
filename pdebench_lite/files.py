"""Files that are written as a whole or not at all."""

import errno
import os
import uuid
from pathlib import Path

# Errors of a disk, quota or limit that takes no more: nobody's fault, and gone with more room.
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file, or replace it, as a whole; an error or a kill leaves what was there before.

    Args:
        path: the file; its folder must exist.
        data: its contents; text is written as UTF-8.

    Raises:
        OSError: it cannot be written.
    """
    path = path.resolve()  # a link stays, and its target is replaced
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")
    try:
        with part.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave an empty file of that name
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
