"""HDF5 files of other people: opened, or refused in one line that says what the file is.

HDF5 gives a fill value, and no error, for what is not there: a chunk that was never written, the
source of a virtual dataset. What is checked here is metadata; no numbers are read.
"""

import difflib
import os
import re
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from math import ceil, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdebench_lite.errors import PdebenchError, some

if TYPE_CHECKING:
    import h5py

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_OTHERS = {  # what a file begins with -> what it is, and what to do
    b"PK": "a ZIP archive (.npz and .pt files are, too); unpack it, or write its arrays with h5py",
    b"\x1f\x8b": "compressed by gzip; unpack it with gunzip or tar",
    b"BZh": "compressed by bzip2; unpack it with bunzip2 or tar",
    b"\xfd7zXZ": "compressed by xz; unpack it with unxz or tar",
    b"\x28\xb5\x2f\xfd": "compressed by zstd; unpack it with unzstd",
    b"\x93NUMPY": "an array of NumPy (.npy); write it with h5py",
    b"MATLAB 5": "a MATLAB file of version 5; save it in MATLAB with '-v7.3'",
    b"CDF": "a NetCDF-3 file; convert it with nccopy -k nc4",
    b"\x0e\x03\x13\x01": "an HDF4 file; convert it with h4toh5",
    b"PAR1": "a Parquet file; write its arrays with h5py",
    b"version https://git-lfs": "a pointer of Git LFS and not the file; type git lfs pull",
    b"\x80": "a Python pickle; write its arrays with h5py",
}
_WEB_PAGE = re.compile(rb"\s*<(!doctype html|html|\?xml)", re.IGNORECASE)
_CUT_OFF = re.compile(r"truncated file: eof = (\d+).*stored_eof = (\d+)")
_SUFFIXES = (".hdf5", ".h5", ".hdf", ".nc")


@contextmanager
def opened(path: Path) -> Iterator["h5py.File"]:
    """Open an HDF5 file for reading.

    Raises:
        PdebenchError: it is absent, may not be read, is locked, is cut off, or is something else.
    """
    import h5py

    size = _size(path)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise PdebenchError(f"'{path}' {_why_not(path, size, str(error))}") from None
    with file:
        yield file


def dataset(file: "h5py.File", path: Path, name: str) -> "h5py.Dataset | None":
    """Return a dataset whose numbers can be read; None where the file has none of that name.

    Args:
        file: opened.
        path: of the file, for messages.
        name: of the dataset.

    Raises:
        PdebenchError: it leads to something that is absent, was not written completely, or is
            compressed by a filter that is not installed.
    """
    import h5py

    try:
        found = file.get(name)
    except RuntimeError:  # links that lead to each other
        found = None
    if found is None and name in file.keys():  # noqa: SIM118 - `in file` follows the link
        raise PdebenchError(_broken_link(file.get(name, getlink=True), path, name))
    if not isinstance(found, h5py.Dataset):
        return None
    check_dataset(found, path, name)
    return found


def check_dataset(found: "h5py.Dataset", path: Path, name: str) -> None:
    """Refuse a dataset that HDF5 cannot read, or would fill up; see `dataset`."""
    _check_filters(found, path, name)
    _check_sources(found, path, name)
    _check_external(found, path, name)
    _check_written(found, path, name)


# ---- the file ----------------------------------------------------------------------------------


def _size(path: Path) -> int:
    """Return the size in bytes of a file that can be read."""
    try:
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            inside = _listed(_hdf5_names(path))
            raise PdebenchError(f"'{path}' is a folder and not a file{inside}; give path=FILE.hdf5")
        if not stat.S_ISREG(state.st_mode):
            raise PdebenchError(f"'{path}' is not a regular file")
        with path.open("rb"):
            return state.st_size
    except (FileNotFoundError, NotADirectoryError):
        raise PdebenchError(_absent(path)) from None
    except PermissionError:
        raise PdebenchError(
            f"no permission to read '{path}'; see: ls -l '{path}', and ask its owner"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PdebenchError(f"cannot read '{path}': {reason}") from None


def _absent(path: Path) -> str:
    """Say which part of a path is not there, and what is there that has a similar name."""
    whole = path.absolute()
    part = next(p for p in reversed((whole, *whole.parents)) if not p.exists())
    folder = part.parent
    if part.is_symlink():
        what = f"'{part}' is a link to '{os.readlink(part)}', which is not there"
        return f"{what}; mend the link, or give the path of the file itself"
    if not folder.is_dir():
        return f"there is no file '{path}': '{folder}' is not a folder"
    kind = "file" if part == whole else "folder"
    what = f"there is no {kind} '{part.name}' in '{folder}'"
    if not path.is_absolute():
        what += ", the folder where pdebench was started" if folder == Path.cwd() else ""
    try:
        names = os.listdir(folder)
    except OSError:
        names = []
    folded = {name.casefold(): name for name in names}
    near = difflib.get_close_matches(part.name.casefold(), folded, 3, cutoff=0.6)
    if near:
        return f"{what}; did you mean {' or '.join(repr(folded[n]) for n in near)}?"
    return f"{what}{_listed(_hdf5_names(folder))}; give path=FILE.hdf5"


def _hdf5_names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.lower().endswith(_SUFFIXES))
    except OSError:
        return []


def _listed(names: Iterable[str]) -> str:
    found = some(names)
    return f"; in it: {found}" if found else ""


def _why_not(path: Path, size: int, error: str) -> str:
    """Say what a file is that HDF5 does not open."""
    if size == 0:
        return "is empty (0 bytes); download or write it again"
    if "unable to lock file" in error:
        return (
            "is locked: a program may be writing it; wait until that has ended, or, if nothing "
            "writes it, type first: export HDF5_USE_FILE_LOCKING=FALSE"
        )
    if "already open for write" in error:
        return (
            "was not closed by the program that wrote it; wait until that has ended, or, if it "
            f"has, type: h5clear -s '{path}'"
        )
    if cut := _CUT_OFF.search(error):
        return f"is cut off: it has {cut[1]} of {cut[2]} bytes; download or copy it again"
    head = _head(path)
    if head.find(_SIGNATURE) >= 0:
        return f"is damaged ({_inner(error)}); download or copy it again"
    if _WEB_PAGE.match(head):
        return "is a web page and not an HDF5 file; download it again (with a login, if need be)"
    for beginning, what in _OTHERS.items():
        if head.startswith(beginning):
            return f"is not an HDF5 file: it is {what}"
    if not head.strip(b"\0"):
        return "holds nothing but zeros at its beginning: its download did not end; do it again"
    shown = head[:24].decode("ascii", errors="replace").replace("\ufffd", "?")
    return f"is not an HDF5 file; it begins with '{shown}'"


def _head(path: Path) -> bytes:
    with suppress(OSError), path.open("rb") as file:
        return file.read(4096)
    return b""


def _inner(error: str) -> str:
    """Return what HDF5 says within brackets, which is its reason."""
    found = re.search(r"\((.*)\)", error)
    return found[1] if found else error


# ---- one dataset -------------------------------------------------------------------------------


def _broken_link(link: Any, path: Path, name: str) -> str:
    import h5py

    if not isinstance(link, h5py.ExternalLink):
        return f"'{path}': '{name}' is a link to '{link.path}', which is not in the file"
    what = f"'{path}': '{name}' is a link to '{link.path}' of the file '{link.filename}'"
    target = _beside(path, link.filename, "HDF5_EXT_PREFIX")
    if target is None:
        return f"{what}, which is not there; put that file into the folder of '{path.name}'"
    try:
        with opened(target) as other:
            return f"{what}, which holds: {some(other) or 'nothing'}"
    except PdebenchError as error:
        return f"{what}: {error}"


def _beside(path: Path, name: str, prefixes: str) -> Path | None:
    """Return the file that a name in an HDF5 file stands for, where HDF5 looks for it.

    That is where an environment variable says, next to the file, or in the working directory; an
    absolute path that is gone is looked for by its last part.
    """
    if name == ".":
        return path
    named = os.environ.get(prefixes, "").replace("${ORIGIN}", str(path.parent)).split(os.pathsep)
    folders = [*(Path(p) for p in named if p), path.parent, Path(), path.resolve().parent]
    names = [name, Path(name).name] if Path(name).is_absolute() else [name]
    found = (folder / one for one in names for folder in folders)
    return next((candidate for candidate in found if candidate.is_file()), None)


def _check_filters(found: "h5py.Dataset", path: Path, name: str) -> None:
    import h5py

    settings = found.id.get_create_plist()
    for i in range(settings.get_nfilters()):
        number, _, _, title = settings.get_filter(i)
        if h5py.h5z.filter_avail(number):
            continue
        with suppress(ImportError):
            import hdf5plugin  # noqa: F401 - to import it is to register its filters
        if not h5py.h5z.filter_avail(number):
            known = _FILTERS.get(number) or title.decode(errors="replace") or "of an unknown name"
            raise PdebenchError(
                f"'{path}': dataset '{name}' is compressed by filter {number} ({known}), which is "
                "not installed; type: pip install hdf5plugin"
            )


_FILTERS = {  # https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md
    32000: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp", 32015: "zstd",
    32017: "sz", 32018: "fcidecomp", 32024: "sz3", 32026: "blosc2",
}  # fmt: skip


def _check_sources(found: "h5py.Dataset", path: Path, name: str) -> None:
    """Check that the sources of a virtual dataset are there and hold what is taken from them."""
    if not found.is_virtual:
        return
    covered = 0
    for source in found.virtual_sources():
        what = f"'{path}': dataset '{name}' takes values from '{source.file_name}'"
        covered += source.vspace.get_select_npoints()
        if "%b" in source.file_name or "%b" in source.dset_name:
            return  # one name for as many files as there are
        target = _beside(path, source.file_name, "HDF5_VDS_PREFIX")
        if target is None:
            raise PdebenchError(
                f"{what}, which is not there (HDF5 would fill in {found.fillvalue}); put that "
                f"file into the folder of '{path.name}'"
            )
        if source.file_name == "." and source.dset_name.strip("/") == name:
            continue
        try:
            with opened(target) as other:
                values = dataset(other, target, source.dset_name)
                if values is None:
                    raise PdebenchError(f"it has no dataset '{source.dset_name}'")
                last = source.src_space.get_select_bounds()[1]
                if any(b >= n for b, n in zip(last, values.shape, strict=True) if b < 2**60):
                    raise PdebenchError(f"'{source.dset_name}' has only the shape {values.shape}")
        except PdebenchError as error:
            raise PdebenchError(f"{what}: {error}") from None
    if covered < found.size:
        raise PdebenchError(
            f"'{path}': dataset '{name}' names sources for {covered} of its {found.size} values; "
            f"HDF5 would fill in {found.fillvalue}; write the file again"
        )


def _check_external(found: "h5py.Dataset", path: Path, name: str) -> None:
    """Check the raw files that hold a dataset's numbers; HDF5 fills up what they lack."""
    for raw, offset, size in found.external or ():
        prefix = os.environ.get("HDF5_EXTFILE_PREFIX", "").replace("${ORIGIN}", str(path.parent))
        file = Path(prefix) / raw
        try:
            held = file.stat().st_size
        except OSError as error:
            raise PdebenchError(
                f"'{path}': dataset '{name}' keeps its values in the file '{raw}', which cannot "
                f"be read from here ({error.strerror}); start pdebench in the folder that holds it"
            ) from None
        if size < 2**60 and held < offset + size:
            raise PdebenchError(
                f"'{path}': dataset '{name}' keeps its values in the file '{raw}', which is cut "
                f"off: it has {held} of {offset + size} bytes; copy it again"
            )


def _check_written(found: "h5py.Dataset", path: Path, name: str) -> None:
    """Check that every chunk was written."""
    import h5py

    kind = found.id.get_create_plist().get_layout()
    if kind not in (h5py.h5d.CHUNKED, h5py.h5d.CONTIGUOUS) or not found.size or found.external:
        return
    remedy = f"HDF5 would fill in {found.fillvalue}; wait for its writer, or write the file again"
    if kind == h5py.h5d.CONTIGUOUS:
        if not found.id.get_storage_size():
            raise PdebenchError(f"'{path}': dataset '{name}' was never written; {remedy}")
        return
    counts = [ceil(n / c) for n, c in zip(found.shape, found.chunks, strict=True)]
    missing = prod(counts) - found.id.get_num_chunks()
    if missing > 0:
        written: Counter[int] = Counter()
        found.id.chunk_iter(lambda chunk: written.update([chunk.chunk_offset[0]]))
        rows = range(0, found.shape[0], found.chunks[0])
        first = next(row for row in rows if written[row] < prod(counts[1:]))
        raise PdebenchError(
            f"'{path}': {missing} of {prod(counts)} chunks of dataset '{name}' were never "
            f"written, from [{first}] on; {remedy}"
        )
