"""Whether the results folder can be written, and shared between runners."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from pdebench_doctor.finding import Finding

_SECTION = "results"
_LITTLE = 1e9  # bytes
_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "lustre", "beegfs")


def storage(results: Path) -> Iterator[Finding]:
    """Yield the findings about a results folder, or about the place where it would be made."""
    place = _nearest(results)
    if not place.is_dir():
        remedy = "pdebench run … --results ANOTHER_FOLDER"
        yield Finding(_SECTION, "folder", "error", f"'{place}' is not a folder", remedy)
        return
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        found = f"'{place}' cannot be written: {error.strerror or error}"
        yield Finding(_SECTION, "folder", "error", found, f"sudo chown -R $USER '{place}'")
        return
    yield Finding(_SECTION, "folder", "ok", f"{results} can be written")
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB free"
    if free < _LITTLE:
        yield Finding(_SECTION, "space", "warning", found, "pdebench run … --results OTHER_DISK")
    else:
        yield Finding(_SECTION, "space", "ok", found)
    kind = file_system(place)
    if kind in _NETWORK:
        found = f"{kind}: sharing a folder between machines was not tried on it"
        remedy = "pdebench run … --results LOCAL_DISK"
        yield Finding(_SECTION, "file system", "note", found, remedy)
    else:
        yield Finding(_SECTION, "file system", "ok", kind or "unknown")


def _nearest(folder: Path) -> Path:
    """Return the folder itself, or the nearest one above that exists."""
    folder = folder.absolute()
    return next((p for p in (folder, *folder.parents) if p.exists()), Path("/"))


def file_system(place: Path) -> str:
    """Return the type of the file system on which a place lies."""
    place = place.resolve()
    mounts = [
        (len(part.mountpoint), part.fstype)
        for part in psutil.disk_partitions(all=True)
        if place.is_relative_to(part.mountpoint)
    ]
    return max(mounts)[1] if mounts else ""
