"""Published files: the layouts in use, written from our reference plus a known error."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
import xarray as xr

from pdebench_audit.published import locate, measure, read_file
from pdebench_lite.cli import main
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry

TASK = registry().task("burgers:forward")
X, T = np.linspace(-1.0, 1.0, 41), np.linspace(0.0, 1.0, 11)
MESH = np.meshgrid(X, T, indexing="ij")
TRUTH = TASK.reference.evaluate({"x": MESH[0].ravel(), "t": MESH[1].ravel()})["u"].reshape(41, 11)  # type: ignore[attr-defined]
ERROR = np.zeros((41, 11))
ERROR[10, 7] = 0.05
U = TRUTH + ERROR
REL_L2 = 0.05 / np.linalg.norm(TRUTH)


def comsol(path: Path) -> None:
    """PINNacle's burgers1d.dat: comments in %, x and then u at each time."""
    head = "".join(f"u @ t={t:g}".rjust(25) for t in T)
    lines = ["% Model: burgers1d.mph", "% Description: u", f"% x {head}"]
    lines += [" ".join(f"{v:.17g}" for v in (x, *row)) for x, row in zip(X, U, strict=True)]
    path.write_text("\n".join(lines) + "\n")


def wide(path: Path) -> None:
    """The same without any header."""
    np.savetxt(path, np.column_stack([X, U]), fmt="%.17g")


def deepxde(path: Path) -> None:
    """DeepXDE's Burgers.npz: columns, and the field with time first."""
    np.savez(path, x=X[:, None], t=T[:, None], usol=U.T)


def raissi(path: Path) -> None:
    """Raissi's burgers_shock.mat."""
    scipy.io.savemat(path, {"x": X[:, None], "t": T[:, None], "usol": U, "nu": 0.01 / np.pi})


def hdf5(path: Path) -> None:
    """PDEBench's layout: a stack of samples, coordinates by long names."""
    with h5py.File(path, "w") as file:
        file["x-coordinate"], file["t-coordinate"] = X, T
        file["tensor"] = np.stack([TRUTH.T, U.T])


def netcdf(path: Path) -> None:
    xr.Dataset({"u": (("t", "x"), U.T)}, {"x": X, "t": T}).to_netcdf(path, engine="h5netcdf")


def netcdf3(path: Path) -> None:
    xr.Dataset({"u": (("t", "x"), U.T)}, {"x": X, "t": T}).to_netcdf(path, engine="scipy")


def csv(path: Path) -> None:
    """One point a line, in any order, under a line of names."""
    rows = np.column_stack([MESH[1].ravel(), U.ravel(), MESH[0].ravel()])
    shuffled = np.random.default_rng(0).permutation(rows)
    np.savetxt(path, shuffled, fmt="%.17g", delimiter=",", header="t,u,x", comments="")


def nameless(path: Path) -> None:
    np.savetxt(path, np.column_stack([MESH[0].ravel(), MESH[1].ravel(), U.ravel()]), fmt="%.17g")


def meshgrid(path: Path) -> None:
    np.savez(path, X=MESH[0], T=MESH[1], u_exact=U)


def unnamed(path: Path) -> None:
    """Axes that only their values give away."""
    np.savez(path, arr_0=X, arr_1=T, arr_2=U)


LAYOUTS: dict[str, tuple[Callable[[Path], None], str, dict[str, str]]] = {
    "comsol": (comsol, "a.dat", {}),
    "wide": (wide, "a.dat", {"t": "0:1:11"}),
    "deepxde": (deepxde, "a.npz", {}),
    "raissi": (raissi, "a.mat", {}),
    "hdf5": (hdf5, "a.h5", {"u": "tensor[1]"}),
    "netcdf": (netcdf, "a.nc", {}),
    "netcdf3": (netcdf3, "a.nc", {}),
    "csv": (csv, "a.csv", {}),
    "nameless": (nameless, "a.txt", {}),
    "meshgrid": (meshgrid, "a.npz", {}),
    "unnamed": (unnamed, "a.npz", {}),
}


def finding(path: Path, named: dict[str, str] | None = None, order: tuple[str, ...] = ()) -> Any:
    problem = TASK.problem
    published = locate(read_file(path), problem.domain, problem.field_names, named, order)
    return measure(published, TASK)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_known_error_is_found(layout: str, tmp_path: Path) -> None:
    write, name, named = LAYOUTS[layout]
    write(tmp_path / name)
    found = finding(tmp_path / name, named)
    assert found.points == 41 * 11
    assert found.rel_l2 == pytest.approx(REL_L2, rel=1e-6)
    assert found.largest == pytest.approx(0.05, rel=1e-6)
    assert found.where == pytest.approx({"x": X[10], "t": T[7]})
    np.testing.assert_allclose(found.times, T)
    at = 0.05 / np.linalg.norm(TRUTH[:, 7])
    assert found.rel_l2_at[7] == pytest.approx(at, rel=1e-6)
    assert np.delete(found.rel_l2_at, 7).max() < 1e-12
    assert found.bound == TASK.reference_bound


def test_an_exact_file_is_within_the_bound(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, t=T, u=TRUTH)
    assert finding(tmp_path / "a.npz").rel_l2 <= TASK.reference_bound


def test_equal_sizes_need_names_or_an_order(tmp_path: Path) -> None:
    t = np.linspace(0.0, 1.0, 41)
    x, times = np.meshgrid(X, t, indexing="ij")
    u = TASK.reference.evaluate({"x": x.ravel(), "t": times.ravel()})["u"].reshape(41, 41)  # type: ignore[attr-defined]
    np.savez(tmp_path / "a.npz", x=X, t=t, u=u.T)
    with pytest.raises(PdebenchError, match="41×41 either way; tell its axes: --order x,t or t,x"):
        finding(tmp_path / "a.npz")
    assert finding(tmp_path / "a.npz", order=("t", "x")).rel_l2 < 1e-12
    assert finding(tmp_path / "a.npz", order=("x", "t")).rel_l2 > 0.5
    fields = xr.Dataset({"u": (("t", "x"), u.T)}, {"x": X, "t": t})
    for engine in ("h5netcdf", "scipy"):
        fields.to_netcdf(tmp_path / f"{engine}.nc", engine=engine)  # type: ignore[call-overload]
        assert finding(tmp_path / f"{engine}.nc").rel_l2 < 1e-12, "its dimensions have names"


def test_what_is_no_number_is_left_out_and_counted(tmp_path: Path) -> None:
    u = TRUTH.copy()
    u[3, 4] = np.nan
    np.savez(tmp_path / "a.npz", x=X, t=T, u=u)
    published = locate(read_file(tmp_path / "a.npz"), TASK.problem.domain, ("u",))
    assert published.left_out == 1
    assert measure(published, TASK).points == 41 * 11 - 1


def save(path: Path, **arrays: Any) -> None:
    np.savez(path, **arrays)


@pytest.mark.parametrize(
    ("arrays", "named", "message"),
    [
        (
            {"x": X, "t": T, "a": U, "b": U},
            {},
            "a and b could be the field u; .*name it: --u ARRAY",
        ),
        ({"x": X, "t": T}, {}, r"no array is the field u; the file holds x \(41\), t \(11\)"),
        ({"x": X, "u": U, "a": T, "b": T}, {}, "a and b could be the axis t"),
        ({"x": X, "t": T[:-1], "u": U}, {}, "field u is 41×11, but its axes are x 41, t 10"),
        ({"x": X + 5, "t": T, "u": U}, {}, "x runs from 4 to 6 in the file .* from -1 to 1 in the"),
        ({"x": X, "t": T, "u": U}, {"u": "v"}, "no array 'v' for u; the file holds x, t, u"),
        ({"x": X, "t": T, "u": U}, {"u": "u[99]"}, "u has shape 41×11, so it has no slice 99"),
        ({"x": X, "t": T, "u": U}, {"y": "u"}, "the problem has no 'y'; it has x, t, u"),
        ({"x": X, "t": T, "u": U * np.nan}, {}, "no finite number in the file"),
    ],
)
def test_what_is_unclear_is_one_line_that_says_what_to_type(
    arrays: Any, named: Any, message: str, tmp_path: Path
) -> None:
    save(tmp_path / "a.npz", **arrays)
    with pytest.raises(PdebenchError, match=message) as caught:
        finding(tmp_path / "a.npz", named)
    assert "\n" not in str(caught.value)


class _Bomb:
    def __reduce__(self) -> Any:
        return (Path.write_text, (Path("exploded"), "x"))


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", u=np.array([_Bomb()], dtype=object), allow_pickle=True)
    Path("a.npy").write_bytes(b"")
    np.save("a.npy", np.array([_Bomb()], dtype=object), allow_pickle=True)
    Path("a.pkl").write_bytes(pickle.dumps(_Bomb()))
    for name in ("a.npz", "a.npy", "a.pkl"):
        with pytest.raises(PdebenchError):
            finding(Path(name))
    assert not Path("exploded").exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.dat", b"1 2 3\n4 5\n", "line '4 5' is no row of 3 numbers"),
        ("a.dat", b"", "holds no array of numbers"),
        ("a.dat", b"\xff\xfe\x00", "cannot read"),
        ("a.mat", b"not a mat file", "cannot read"),
        ("a.h5", b"\x89HDF\r\n\x1a\nbroken", "cannot read"),
        ("a.npz", b"PK\x03\x04broken", "cannot read"),
        (
            "a.csv",
            b"1,2,3,4\n1,2,3,4\n",
            "x and 3 moments, for which there are no times; tell them",
        ),
    ],
)
def test_broken_files(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PdebenchError, match=message):
        finding(tmp_path / name)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    comsol(tmp_path / "burgers1d.dat")
    words = ["audit", str(tmp_path / "burgers1d.dat"), "--problem", "burgers:forward"]
    assert main(words) == 0
    text = capsys.readouterr().out
    for line in (
        "columns x, then u at 11 times from 0 to 1",
        f"relative L2 error {REL_L2:.1e}",
        "largest error     5.0e-02 in u at x = -0.5, t = 0.7",
        "cannot be ranked by this file",
    ):
        assert line in text
    assert main([*words, "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["rel_l2"] == pytest.approx(REL_L2)
    assert [row["t"] for row in answer["times"]] == pytest.approx(T.tolist())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["audit", "/nowhere.npz", "--problem", "burgers:forward"], "No such file or directory"),
        (["audit", "a.npz", "--problem", "burger"], "unknown problem 'burger'; did you mean"),
        (["audit", "a.npz", "--problem", "burgers", "--name", "v"], "--name 'v' is no WHAT=ARRAY"),
        (["audit", "a.npz", "--problem", "burgers", "--format", "md"], "no format 'md'; write"),
        (["audit", "a.npz"], "Missing option '--problem'"),
    ],
)  # fmt: skip
def test_the_command_says_what_is_wrong(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
