"""PDEBench's layout: files written by its description, ours read back, bad ones refused."""

import re
import tracemalloc

import h5py
import numpy as np
import pytest

from pdebench_data.layout import (
    check_instances,
    read_instances,
    read_layout,
    write_instances,
)
from pdebench_lite.cli import application, commands_for
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_lite.tasks import Ensemble

typer_testing = pytest.importorskip("typer.testing")


def published(path, **changes):
    """Write a file as the project describes it: advection, one time more than frames."""
    rng = np.random.default_rng(0)
    x = (np.arange(32) + 0.5) / 32
    parts = {
        "tensor": rng.standard_normal((20, 5, 32)).astype(np.float32),
        "x-coordinate": x.astype(np.float32),
        "t-coordinate": np.linspace(0, 2, 6).astype(np.float32),
    }
    parts.update(changes)
    with h5py.File(path, "w") as file:
        for name, values in parts.items():
            if values is not None:
                file.create_dataset(name, data=values)
        file.attrs["beta"] = 0.4
    return parts


def test_a_file_by_the_description_is_read(tmp_path):
    parts = published(tmp_path / "a.hdf5")
    task = registry().task(
        f"pdebench-file[path={tmp_path}/a.hdf5,train=10,validation=4,test=6,frames=2,every=2]"
    )
    assert task.faces == {"data"}
    x, t = task.problem.domain.axes
    assert (x.lower, x.upper) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert (t.lower, t.upper) == pytest.approx((0.0, 1.6))
    seen = [task.ensemble("validation"), task.ensemble("test")]
    seen.append(task.draw("train", 10, generator("test")))
    starts = np.concatenate([drawn.fields["u"][:, :, 0] for drawn in seen])
    every = parts["tensor"][:, 0, ::2].astype(float)
    assert sorted(map(tuple, starts)) == sorted(map(tuple, every)), "the parts are the whole file"
    later = seen[1].later()["u"]
    for start, answer in zip(seen[1].query()["u"], later, strict=True):
        (i,) = np.flatnonzero((every == start).all(axis=1))
        np.testing.assert_array_equal(answer, parts["tensor"][i, [2, 4]][:, ::2].T)
    assert task.reference_bound == np.finfo(np.float32).eps


def test_what_is_written_is_read_back(tmp_path):
    task = registry().task("burgers:family[cells=16,frames=3]")
    drawn = task.draw("train", 6, generator("test"))
    write_instances(str(tmp_path / "new" / "b.hdf5"), drawn)
    with h5py.File(tmp_path / "new" / "b.hdf5") as file:
        assert file["tensor"].shape == (6, 4, 16)
        assert file["tensor"].dtype == np.float32
        assert set(file) == {"tensor", "x-coordinate", "t-coordinate", "nu"}
    layout = read_layout(str(tmp_path / "new" / "b.hdf5"))
    again = read_instances(layout, np.arange(6), np.arange(4), "u")
    np.testing.assert_allclose(again.fields["u"], drawn.fields["u"], rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(again.coefficients["nu"], drawn.coefficients["nu"])
    for axis in ("x", "t"):
        np.testing.assert_array_equal(again.axes[axis], drawn.axes[axis])
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["b.hdf5"]


def test_the_command_writes_what_the_problem_reads(tmp_path):
    out = tmp_path / "c.hdf5"
    order = ["data", "write", "--problem", "burgers:family[cells=16]", "--instances", "7"]
    done = typer_testing.CliRunner().invoke(
        application(commands_for(order)), [*order, "--out", str(out), "--set", "viscosity"]
    )
    assert done.exit_code == 0, done.output
    assert "7 instances" in done.output
    layout = read_layout(str(out))
    assert (layout.instances, layout.x.size, layout.t.tolist()) == (7, 16, [0.0, 1.0])
    drawn = registry().task("burgers:family[cells=16]").draw("viscosity", 7)
    again = read_instances(layout, np.arange(7), np.arange(2), "u")
    np.testing.assert_array_equal(again.coefficients["nu"], drawn.coefficients["nu"])


BAD = {
    "no dataset 'tensor'.*it holds: t-coordinate, x-coordinate": {"tensor": None},
    "no dataset 't-coordinate'": {"t-coordinate": None},
    "of shape .20, 5., not floats": {"tensor": np.zeros((20, 5))},
    "tensor is int64": {"tensor": np.zeros((20, 5, 32), int)},
    "x-coordinate has 31 values for 32 cells": {"x-coordinate": np.arange(31.0)},
    "t-coordinate has 9 values for 5 frames": {"t-coordinate": np.arange(9.0)},
    "x-coordinate.2. is nan": {"x-coordinate": np.where(np.arange(32) == 2, np.nan, 1.0)},
    "t-coordinate.4. is inf": {"t-coordinate": np.array([0, 1, 2, 3, np.inf])},
    "x-coordinate is float64 of shape .20, 32.": {"x-coordinate": np.ones((20, 32))},
    "x-coordinate does not ascend in equal steps": {"x-coordinate": np.arange(32.0) ** 2},
    "t-coordinate does not ascend": {"t-coordinate": np.zeros(5)},
    "at least 2 of 4 needed": {"tensor": np.zeros((20, 1, 32)), "t-coordinate": np.zeros(1)},
}


@pytest.mark.parametrize("words", BAD)
def test_bad_files_are_refused(tmp_path, words):
    published(tmp_path / "bad.hdf5", **BAD[words])
    with pytest.raises(PdebenchError, match=words) as caught:
        registry().task(f"pdebench-file[path={tmp_path}/bad.hdf5]")
    assert "\n" not in str(caught.value)


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(PdebenchError, match="there is no file"):
        registry().task(f"pdebench-file[path={tmp_path}/absent.hdf5]")
    (tmp_path / "text.hdf5").write_text("no HDF5")
    with pytest.raises(PdebenchError, match="is not an HDF5 file"):
        registry().task(f"pdebench-file[path={tmp_path}/text.hdf5]")
    published(tmp_path / "cut.hdf5")
    whole = (tmp_path / "cut.hdf5").read_bytes()
    (tmp_path / "cut.hdf5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PdebenchError, match="cut off"):
        registry().task(f"pdebench-file[path={tmp_path}/cut.hdf5]")


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    tensor = np.ones((20, 5, 32))
    tensor[3, 4, 7] = np.nan
    published(tmp_path / "nan.hdf5", tensor=tensor)
    layout = read_layout(str(tmp_path / "nan.hdf5"))
    with pytest.raises(PdebenchError, match=r"'tensor' holds .* not finite: instance 3 at frame 4"):
        read_instances(layout, np.array([1, 3]), np.array([0, 4]), "u")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("train=19", "are more than the 20 instances"),
        ("train=8,test=8,validation=4,frames=3", "frames=3 do not divide the 4 steps"),
        ("train=8,test=8,validation=4,every=3", "every=3 does not divide the 32 cells"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path, values, words):
    published(tmp_path / "a.hdf5")
    with pytest.raises(PdebenchError, match=words):
        registry().task(f"pdebench-file[path={tmp_path}/a.hdf5,{values}]")


def test_only_one_field_on_x_and_t_is_written(tmp_path):
    axes = {"x": np.arange(4.0), "t": np.arange(2.0)}
    two = Ensemble(axes, {"u": np.zeros((1, 4, 2)), "v": np.zeros((1, 4, 2))})
    with pytest.raises(PdebenchError, match="one field on x and t"):
        write_instances(str(tmp_path / "two.hdf5"), two)


def test_without_a_file_no_method_applies():
    task = registry().task("pdebench-file")
    assert task.instances == 0
    assert not registry().method("cnn").supports(task, None).ok
    with pytest.raises(PdebenchError, match="no file: write"):
        _ = task.problem.layout


def test_what_a_file_holds_is_not_listed_by_the_thousand(tmp_path):
    with h5py.File(tmp_path / "many.hdf5", "w") as file:
        for i in range(1000):
            file.create_group(f"{i:04d}")
    with pytest.raises(PdebenchError, match=r"it holds: 0000, .*, 0007 and 992 more$"):
        read_layout(str(tmp_path / "many.hdf5"))


def test_a_home_folder_that_is_not_known():
    with pytest.raises(PdebenchError, match="there is no home folder of that name"):
        read_layout("~nobody-of-this-name/a.hdf5")


def test_a_coefficient_behind_a_broken_link_is_not_left_out(tmp_path):
    published(tmp_path / "a.hdf5")
    with h5py.File(tmp_path / "a.hdf5", "r+") as file:
        file["nu"] = h5py.ExternalLink("gone.hdf5", "nu")
    with pytest.raises(PdebenchError, match=r"'nu' is a link to 'nu' of the file 'gone\.hdf5'"):
        read_layout(str(tmp_path / "a.hdf5"))


ORDER = generator("pdebench-file", 20).permutation(20)
PARTS = {"validation": ORDER[0], "test": ORDER[5], "train": ORDER[15]}


def changed(part, values, first=0):
    tensor = np.random.default_rng(0).standard_normal((20, 5, 32))
    tensor[PARTS[part], first:] = values
    return {"tensor": tensor}


def coefficient(part):
    values = np.full(20, 0.1)
    values[PARTS[part]] = np.nan
    return {"nu": values}


FAULTS = {
    "is 0 everywhere .* in 1 instance: {}; errors are relative": lambda p: changed(p, 0.0),
    "is 0 at all frames that are asked in 1 instance: {};": lambda p: changed(p, 0.0, 1),
    "'tensor' holds .* not finite: instance {} at frame 2": lambda p: changed(p, np.nan, 1),
    "'tensor' holds .* not finite: instance {} at frame 4": lambda p: changed(p, np.inf, 3),
    "dataset 'nu' of instance {} is nan": coefficient,
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("words", FAULTS)
@pytest.mark.parametrize("dry", [True, False])
def test_a_fault_of_the_file_is_named_before_anything_runs(tmp_path, words, part, dry):
    published(tmp_path / "a.hdf5", **FAULTS[words](part))
    problem = f"pdebench-file[path={tmp_path}/a.hdf5,train=10,validation=4,test=6,frames=2]"
    order = ["run", "--problem", problem, "--methods", "cnn", "--max-steps", "1", "--quiet"]
    order += ["--results", str(tmp_path / "runs"), *(["--dry-run"] if dry else [])]
    done = typer_testing.CliRunner().invoke(application(commands_for(order)), order)
    assert isinstance(done.exception, PdebenchError)
    said = str(done.exception)
    assert re.search(words.format(PARTS[part]), said)
    assert "a.hdf5'" in said
    assert f"np.delete(values, {PARTS[part]}" in said.replace("[", "")
    assert not (tmp_path / "runs").exists()


def test_what_is_not_read_may_be_anything(tmp_path):
    tensor = np.random.default_rng(0).standard_normal((20, 5, 32))
    tensor[PARTS["train"]] = np.nan  # with train=1, most seeds leave this instance out
    tensor[:, [1, 3]] = np.nan  # frames that are not asked
    published(tmp_path / "a.hdf5", tensor=tensor)
    task = registry().task(
        f"pdebench-file[path={tmp_path}/a.hdf5,train=1,validation=4,test=6,frames=2]"
    )
    bad = [task._chosen("train", 1, generator("s", i)) == PARTS["train"] for i in range(30)]
    assert 0 < sum(map(bool, bad)) < 30
    task.check([lambda _, i=i: generator("s", i) for i in range(30) if not bad[i]])
    with pytest.raises(PdebenchError, match=f"instance {PARTS['train']} at frame 0"):
        task.check([lambda _, i=i: generator("s", i) for i in range(30)])


def test_cells_between_those_that_are_asked_do_not_count(tmp_path):
    tensor = np.random.default_rng(0).standard_normal((20, 5, 32))
    tensor[PARTS["test"], :, ::4] = 0
    published(tmp_path / "a.hdf5", tensor=tensor)
    path = f"path={tmp_path}/a.hdf5,train=10,validation=4,test=6"
    task = registry().task(f"pdebench-file[{path},every=2]")
    assert task.ensemble("test").fields["u"].shape == (6, 16, 2)
    with pytest.raises(PdebenchError, match="is 0 everywhere"):
        registry().task(f"pdebench-file[{path},every=4]").ensemble("test")


CHUNKS = (None, (1, 1, 32), (3, 2, 5), (20, 1, 32), (7, 5, 32), (20, 5, 32))


@pytest.mark.parametrize("block", [1, 700, 2**24])
@pytest.mark.parametrize("chunks", CHUNKS)
def test_any_chunks_give_the_same_numbers(tmp_path, monkeypatch, chunks, block):
    monkeypatch.setattr("pdebench_data.layout._BLOCK", block)
    tensor = np.random.default_rng(1).standard_normal((20, 5, 32)).astype(np.float32)
    published(tmp_path / "a.hdf5", tensor=None)
    with h5py.File(tmp_path / "a.hdf5", "r+") as file:
        file.create_dataset("tensor", data=tensor, chunks=chunks)
    layout = read_layout(str(tmp_path / "a.hdf5"))
    for chosen in ([0], [19], [1, 2, 3, 9, 12, 13], list(range(20))):
        for frames in ([0, 4], [0, 2, 4], [0, 1, 4], [0, 1, 2, 3, 4]):
            drawn = read_instances(layout, np.array(chosen), np.array(frames), "u", 2)
            wanted = tensor[chosen][:, frames][:, :, ::2].astype(float)
            np.testing.assert_array_equal(drawn.fields["u"], np.moveaxis(wanted, 1, 2))


def test_no_more_is_read_than_was_asked(tmp_path, monkeypatch):
    """Five of 201 frames: the memory is that of the answer and of a few blocks."""
    parts = {"tensor": None, "x-coordinate": np.arange(256.0), "t-coordinate": np.arange(201.0)}
    published(tmp_path / "a.hdf5", **parts)
    values = np.random.default_rng(0).standard_normal((201, 256)).astype(np.float32)
    with h5py.File(tmp_path / "a.hdf5", "r+") as file:
        tensor = file.create_dataset("tensor", (200, 201, 256), "f4")
        for i in range(200):
            tensor[i] = values
    block = 2**18
    monkeypatch.setattr("pdebench_data.layout._BLOCK", block)
    layout = read_layout(str(tmp_path / "a.hdf5"))
    chosen, frames = np.arange(0, 200, 2), np.linspace(0, 200, 6).astype(int)
    read_instances(layout, chosen, frames, "u")  # what is imported at first use
    tracemalloc.start()
    try:
        answer = read_instances(layout, chosen, frames, "u").fields["u"].nbytes
        assert tracemalloc.get_traced_memory()[1] < answer + 8 * block
        tracemalloc.reset_peak()
        check_instances(layout, chosen, frames)
        assert tracemalloc.get_traced_memory()[1] < 8 * block, "a check keeps no numbers"
    finally:
        tracemalloc.stop()
    assert chosen.size * values.nbytes > answer + 16 * block, "whole instances do not fit"


def test_a_damaged_chunk_is_no_failure_of_a_method(tmp_path):
    published(tmp_path / "a.hdf5", tensor=None)
    with h5py.File(tmp_path / "a.hdf5", "r+") as file:
        tensor = file.create_dataset("tensor", (20, 5, 32), "f4", chunks=(1, 5, 32), compression=1)
        tensor[...] = 1
        tensor.id.write_direct_chunk((3, 0, 0), b"not deflated")
    layout = read_layout(str(tmp_path / "a.hdf5"))
    with pytest.raises(PdebenchError, match=r"cannot read dataset 'tensor' of .*damaged"):
        read_instances(layout, np.array([2, 3]), np.array([0, 4]), "u")
