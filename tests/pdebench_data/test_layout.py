"""PDEBench's layout: files written by its description, ours read back, bad ones refused."""

import h5py
import numpy as np
import pytest

from pdebench_data.layout import read_instances, read_layout, write_instances
from pdebench_lite.cli import application
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
        application(), [*order, "--out", str(out), "--set", "viscosity"]
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
    with pytest.raises(PdebenchError, match="is no HDF5 file"):
        registry().task(f"pdebench-file[path={tmp_path}/text.hdf5]")
    published(tmp_path / "cut.hdf5")
    whole = (tmp_path / "cut.hdf5").read_bytes()
    (tmp_path / "cut.hdf5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PdebenchError, match="cut off"):
        registry().task(f"pdebench-file[path={tmp_path}/cut.hdf5]")


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    tensor = np.zeros((20, 5, 32))
    tensor[3, 4, 7] = np.nan
    published(tmp_path / "nan.hdf5", tensor=tensor)
    layout = read_layout(str(tmp_path / "nan.hdf5"))
    with pytest.raises(PdebenchError, match="instance 3 holds numbers that are not finite"):
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
