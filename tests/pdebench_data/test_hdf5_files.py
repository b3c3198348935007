"""HDF5 files that cannot be used: each is refused in one line that says what it is."""

import errno
import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from pdebench_data.hdf5_files import dataset, opened
from pdebench_lite.errors import PdebenchError


def refused(path, name="tensor"):
    with pytest.raises(PdebenchError) as caught, opened(path) as file:
        dataset(file, path, name)
    assert "\n" not in str(caught.value)
    assert str(path.name) in str(caught.value)
    return str(caught.value)


def written(path, **datasets):
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
    return path


def test_what_is_not_there_is_looked_for_next_to_it(tmp_path, monkeypatch):
    written(tmp_path / "burgers_0.01.hdf5", tensor=np.ones(3))
    assert "did you mean 'burgers_0.01.hdf5'?" in refused(tmp_path / "Burgers_0.1.hdf5")
    found = refused(tmp_path / "a.hdf5")
    assert f"there is no file 'a.hdf5' in '{tmp_path}'" in found
    assert "in it: burgers_0.01.hdf5; give path=" in found
    with pytest.raises(PdebenchError, match=f"there is no folder 'data' in '{tmp_path}'"):
        opened(tmp_path / "data" / "x" / "a.hdf5").__enter__()
    monkeypatch.chdir(tmp_path)
    assert "the folder where pdebench was started" in refused(Path("a.hdf5"))


def test_many_files_are_not_all_named(tmp_path):
    for i in range(30):
        (tmp_path / f"{i:02d}.h5").touch()
    assert "06.h5, 07.h5 and 22 more" in refused(tmp_path / "absent.hdf5")


def test_links_folders_and_devices(tmp_path):
    (tmp_path / "a.hdf5").symlink_to("gone.hdf5")
    assert "is a link to 'gone.hdf5', which is not there" in refused(tmp_path / "a.hdf5")
    (tmp_path / "loop.hdf5").symlink_to("loop.hdf5")
    assert "link" in refused(tmp_path / "loop.hdf5")
    (tmp_path / "folder").mkdir()
    assert "is a folder and not a file" in refused(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")
    assert "is not a regular file" in refused(tmp_path / "pipe")
    written(tmp_path / "b.hdf5", tensor=np.ones(3))
    with (
        pytest.raises(PdebenchError, match=r"b\.hdf5' is not a folder"),
        opened(tmp_path / "b.hdf5" / "c"),
    ):
        pass


def test_no_permission(tmp_path, monkeypatch):
    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = written(tmp_path / "a.hdf5", tensor=np.ones(3))
    monkeypatch.setattr(Path, "open", denied)
    assert "no permission to read" in refused(path)


def npy(path):
    with path.open("wb") as file:
        np.save(file, np.ones(3))


def archive(path):
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.hdf5", "x")


OTHERS = {
    "is empty": Path.touch,
    "is a ZIP archive": archive,
    "an array of NumPy": npy,
    "is a web page": lambda path: path.write_text("\n<!DOCTYPE html><html>Log in</html>"),
    "type git lfs pull": lambda path: path.write_text("version https://git-lfs.github.com/spec/v1"),
    "a MATLAB file of version 5": lambda path: path.write_bytes(b"MATLAB 5.0 MAT-file, " * 8),
    "unpack it with gunzip": lambda path: path.write_bytes(gzip.compress(b"x" * 100)),
    "nothing but zeros": lambda path: path.write_bytes(bytes(5000)),
    "begins with 'Not found'": lambda path: path.write_text("Not found"),
}


@pytest.mark.parametrize("words", OTHERS)
def test_other_files_under_the_name(tmp_path, words):
    OTHERS[words](tmp_path / "a.hdf5")
    assert words in refused(tmp_path / "a.hdf5")


def test_a_file_that_is_cut_off_or_damaged(tmp_path):
    path = written(tmp_path / "a.hdf5", tensor=np.ones((50, 50)))
    whole = path.read_bytes()
    path.write_bytes(whole[:9000])
    assert f"is cut off: it has 9000 of {len(whole)} bytes" in refused(path)
    path.write_bytes(whole[:100] + b"\xff" * 900 + whole[1000:])
    assert "is damaged (" in refused(path)


WRITER = """
import h5py, os, sys
file = h5py.File(sys.argv[1], "w", libver=sys.argv[2])
file["tensor"] = 1.0
file.flush()
print("written", flush=True)
sys.stdin.read()
os._exit(0)
"""


def writer(path, version):
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, path, version], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    return child


def test_a_file_that_is_being_written(tmp_path):
    path = tmp_path / "a.hdf5"
    child = writer(path, "earliest")
    try:
        assert "export HDF5_USE_FILE_LOCKING=FALSE" in refused(path)
    finally:
        child.communicate()
    with writer(tmp_path / "b.hdf5", "latest") as child:
        child.communicate()
    assert "type: h5clear -s" in refused(tmp_path / "b.hdf5")


def test_links_within_a_file(tmp_path):
    path = tmp_path / "a.hdf5"
    other = written(tmp_path / "other.hdf5", values=np.ones(3))
    with h5py.File(path, "w") as file:
        file["good"] = h5py.ExternalLink("other.hdf5", "values")
        file["gone"] = h5py.ExternalLink("gone.hdf5", "values")
        file["part"] = h5py.ExternalLink("other.hdf5", "tensor")
        file["soft"] = h5py.SoftLink("/nowhere")
        file["loop"] = h5py.SoftLink("loop")
    with opened(path) as file:
        assert dataset(file, path, "good")[:].tolist() == [1, 1, 1]
        assert dataset(file, path, "absent") is None
    assert "'gone.hdf5', which is not there; put that file into" in refused(path, "gone")
    assert "'tensor' of the file 'other.hdf5', which holds: values" in refused(path, "part")
    assert "is a link to '/nowhere', which is not in the file" in refused(path, "soft")
    assert "is a link to 'loop'" in refused(path, "loop")
    other.write_text("")
    assert "other.hdf5' is empty" in refused(path, "good")


def virtual(path, *sources, rows=6):
    layout = h5py.VirtualLayout((rows, 5), "f4")
    for i, (name, shape) in enumerate(sources):
        layout[3 * i : 3 * i + 3] = h5py.VirtualSource(name, "tensor", shape)[:3]
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("tensor", layout)
    return path


def test_sources_of_a_virtual_dataset(tmp_path):
    for name in ("one.hdf5", "two.hdf5"):
        written(tmp_path / name, tensor=np.ones((3, 5), "f4"))
    both = [("one.hdf5", (3, 5)), ("two.hdf5", (3, 5))]
    path = virtual(tmp_path / "a.hdf5", *both)
    with opened(path) as file:
        assert dataset(file, path, "tensor")[:].sum() == 30
    (tmp_path / "two.hdf5").rename(tmp_path / "gone.hdf5")
    assert "'two.hdf5', which is not there (HDF5 would fill in 0.0)" in refused(path)
    written(tmp_path / "two.hdf5", tensor=np.ones((2, 5), "f4"))
    assert "'tensor' has only the shape (2, 5)" in refused(path)
    written(tmp_path / "two.hdf5", other=np.ones((3, 5), "f4"))
    assert "it has no dataset 'tensor'" in refused(path)
    child = writer(tmp_path / "two.hdf5", "earliest")
    try:
        assert "two.hdf5' is locked" in refused(path), "HDF5 fills that in, too"
    finally:
        child.communicate()
    holes = virtual(tmp_path / "holes.hdf5", both[0])
    assert "sources for 15 of its 30 values" in refused(holes)


def test_values_in_a_raw_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        values = file.create_dataset("tensor", (4, 5), "f4", external=[("raw.bin", 0, 80)])
        values[...] = 1
    with opened(path) as file:
        assert dataset(file, path, "tensor")[:].sum() == 20
    (tmp_path / "raw.bin").write_bytes((tmp_path / "raw.bin").read_bytes()[:40])
    assert "'raw.bin', which is cut off: it has 40 of 80 bytes" in refused(path)
    (tmp_path / "raw.bin").unlink()
    assert "start pdebench in the folder that holds it" in refused(path)


def test_what_was_never_written(tmp_path):
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        half = file.create_dataset("half", (10, 5), "f4", chunks=(2, 5))
        half[:4] = 1
        file.create_dataset("never", (10, 5), "f4")
        whole = file.create_dataset("whole", (9, 5), "f4", chunks=(2, 3))
        whole[...] = 1
        file["number"] = 1.0
    assert "3 of 5 chunks of dataset 'half' were never written, from [4] on" in refused(
        path, "half"
    )
    assert "dataset 'never' was never written" in refused(path, "never")
    with opened(path) as file:
        assert dataset(file, path, "whole").shape == (9, 5)
        assert dataset(file, path, "number").shape == ()


def test_a_filter_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "hdf5plugin", None)
    monkeypatch.setattr(h5py.h5z, "filter_avail", lambda number: number < 256)
    path = tmp_path / "a.hdf5"
    with h5py.File(path, "w") as file:
        values = file.create_dataset(
            "tensor", (4, 5), "f4", chunks=(4, 5), compression=32001, allow_unknown_filter=True
        )
        values.id.write_direct_chunk((0, 0), bytes(20))
    found = refused(path)
    assert "compressed by filter 32001 (blosc), which is not installed" in found
    assert "pip install hdf5plugin" in found
