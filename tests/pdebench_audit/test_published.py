"""Published files: the layouts in use, written from our reference plus a known error."""

import gzip
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
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
    with pytest.raises(PdebenchError, match="41×41 either way; name its axes: --order x,t or t,x"):
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
        (
            {"x": X, "t": T, "u": U},
            {"u": "v"},
            r"no array 'v' for u; the file holds x \(41\), t \(11\), u",
        ),
        ({"x": X, "t": T, "u": U}, {"u": "u[99]"}, "u has shape 41×11, so it has no slice 99"),
        ({"x": X, "t": T, "u": U}, {"y": "u"}, "the problem has no 'y'; it has x, t, u"),
        ({"x": X, "t": T, "u": U * np.nan}, {}, "no finite number in u"),
    ],
)
def test_what_is_unclear_is_one_line_that_says_what_to_type(
    arrays: Any, named: Any, message: str, tmp_path: Path
) -> None:
    save(tmp_path / "a.npz", **arrays)
    with pytest.raises(PdebenchError, match=message) as caught:
        finding(tmp_path / "a.npz", named)
    assert "\n" not in str(caught.value)


# ---- tables in text as other programs and countries write them ----------------------------------

ROWS = np.column_stack([MESH[0].ravel(), MESH[1].ravel(), U.ravel()])


def table(separator: str, head: str = "x,t,u", change: Callable[[str], str] = str) -> str:
    """Return the points as text; each number passes through a function."""
    rows = [[change(f"{value:.17g}") for value in row] for row in ROWS]
    return "\n".join([head.replace(",", separator), *map(separator.join, rows)]) + "\n"


def german(number: str) -> str:
    return number.replace(".", ",")


def fortran(number: str) -> str:
    """1.0D-03, and without its letter where the exponent has three digits."""
    digits, exponent = f"{float(number):.16e}".split("e")
    return digits + (
        f"{int(exponent):+04d}" if abs(int(exponent)) > 99 else f"D{int(exponent):+03d}"
    )


def with_index() -> str:
    head, *rows = table(",").splitlines()
    return "\n".join([f",{head}", *(f"{i},{row}" for i, row in enumerate(rows))])


def pivot() -> str:
    """pandas' pivot: moments are the names of the columns."""
    rows = [",".join(f"{v:.17g}" for v in (x, *row)) for x, row in zip(X, U, strict=True)]
    return "\n".join([",".join(["x", *(f"{t:g}" for t in T)]), *rows])


TEXTS: dict[str, bytes] = {
    "decimal commas": table(";", change=german).encode(),
    "decimal commas and blanks": table(" ", change=german).encode(),
    "decimal commas in quotes": table(",", change=lambda n: f'"{german(n)}"').encode(),
    "tabs": table("\t").encode(),
    "Latin-1": ("% Größe in m\n" + table(" ")).encode("latin-1"),
    "UTF-16": table("\t").encode("utf-16"),
    "UTF-8 with a mark": table(",").encode("utf-8-sig"),
    "Fortran": table("  ", change=fortran).encode(),
    "an index column": with_index().encode(),
    "a separator at each end": table(",").replace("\n", ",\n").encode(),
    "units": table(",", "x [m],t (s),u [m/s]").encode(),
    "names in a comment": table(" ", "# x t u").encode(),
    "CR LF": table(",").replace("\n", "\r\n").encode(),
    "pivot": pivot().encode(),
}


@pytest.mark.parametrize("kind", TEXTS)
def test_texts_of_other_programs(kind: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(TEXTS[kind])
    found = finding(tmp_path / "a.csv")
    assert found.points == 41 * 11
    assert found.rel_l2 == pytest.approx(REL_L2, rel=1e-6)
    assert found.where == pytest.approx({"x": X[10], "t": T[7]})


def test_an_empty_cell_is_left_out_and_counted(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,t,u,v\n0.5,0,,7\n-0.5,0,1,8\n0.25,0,NA,9\n")
    published = locate(read_file(tmp_path / "a.csv"), TASK.problem.domain, ("u",))
    assert published.left_out == 2
    assert published.points["x"].tolist() == [-0.5]
    assert published.fields["u"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x,t,u,v\n0.1,0.2,,0.5\n0.2,0.2,,0.6\n", "no finite number in u"),
        ("x,t,u\n0,0,1\n0,5,0,1\n", "line 3: 4 cells, but line 1 names 3 columns (x, t, u); "
         "write one cell for each column; where commas are decimal, split columns by ;"),
        ("x,t,u\n0,0,1\n0.5,0\n", "line 3: 2 cells, but line 1 names 3 columns (x, t, u)"),
        ("x t u\n0 0 one\n", "line 2, column 3 (u): 'one' is not a number"),
        ("x t u\n0 0 1_000\n", "line 2, column 3 (u): '1_000' is not a number"),
        ("x t u\n0 0 1+2j\n", "'1+2j' is not a number"),
        ("x;t;u\n0;0;1.234,5\n", "'1.234,5' is not a number"),
        ("x;t;u\n0,5;0;1\n0.25;0;1\n", "'0,5' in line 2 has a comma, '0.25' in line 3 a point"),
        ("x,t,u,u\n0,0,1,2\n", "line 1: 'u' names two columns"),
        ("# field u over t and x\n0 0 1\n", "write a first line of names without a comment"),
        ("x,t,u\n0,0,1\n0,0,2\n", "two values at x = 0, t = 0: u = 1 and u = 2; keep one"),
        ("x,t,u\n7,0,1\n", "from -1 to 1 in the problem; give both in the same units"),
    ],
)  # fmt: skip
def test_no_cell_is_guessed(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(PdebenchError) as caught:
        finding(tmp_path / "a.csv")
    assert message in str(caught.value)


# ---- formats by their first bytes ---------------------------------------------------------------


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for name in names:
            made.writestr(name, b"")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (archive("model/data.pkl", "model/data/0"), "is a file of PyTorch, which would have to be"),
        (pickle.dumps([1.0]), "is a pickle, which would have to be unpickled, .*np.savez"),
        (archive("xl/workbook.xml"), "is a file of Excel; save the sheet as CSV"),
        (archive("data.csv"), "is a zip archive without arrays of NumPy; unpack it first"),
        (gzip.compress(b"0 0 1"), "is compressed; unpack it: gunzip a.bin"),
        (b"\x93\x00\x01binary", "is not text and of no known format"),
    ],
)
def test_other_formats_are_refused_by_name(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(PdebenchError, match=message):
        finding(tmp_path / "a.bin")


def test_tables_of_pandas(tmp_path: Path) -> None:
    frame = pd.DataFrame(ROWS, columns=["x", "t", "u"])
    frame.to_parquet(tmp_path / "a.parquet")
    frame.set_index(["x", "t"]).to_parquet(tmp_path / "b.parquet")
    frame.to_feather(tmp_path / "a.feather")
    for name in ("a.parquet", "b.parquet", "a.feather"):
        assert finding(tmp_path / name).rel_l2 == pytest.approx(REL_L2, rel=1e-6)


def test_complex_numbers_are_named_unless_they_are_real(tmp_path: Path) -> None:
    save(tmp_path / "a.npz", x=X, t=T, u=U + 0j)
    assert finding(tmp_path / "a.npz").rel_l2 == pytest.approx(REL_L2)
    save(tmp_path / "b.npz", x=X, t=T, u=U + 1e-9j)
    with pytest.raises(PdebenchError, match=r"u \(complex numbers; save its real part\)"):
        finding(tmp_path / "b.npz")
    with pytest.raises(PdebenchError, match="'u' for u holds complex numbers; save its real part"):
        finding(tmp_path / "b.npz", {"u": "u"})


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_masked_and_packed_values(engine: Any, tmp_path: Path) -> None:
    u = np.where(ERROR > 0, np.nan, TRUTH)
    packed = {"u": {"_FillValue": -9999.0, "scale_factor": 2.0, "add_offset": 0.5}}
    xr.Dataset({"u": (("x", "t"), u)}, {"x": X, "t": T}).to_netcdf(
        tmp_path / "a.nc", engine=engine, encoding=packed
    )
    published = locate(read_file(tmp_path / "a.nc"), TASK.problem.domain, ("u",))
    assert published.left_out == 1
    assert measure(published, TASK).rel_l2 < 1e-12


def test_many_names_are_not_all_listed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for i in range(100):
            file[f"sample{i:03d}"] = np.zeros(3)
    with pytest.raises(PdebenchError, match=r"sample007 .3. and 92 more; name it") as caught:
        finding(tmp_path / "a.h5")
    assert len(str(caught.value)) < 400


def test_repeated_points_count_once(tmp_path: Path) -> None:
    rows = np.vstack([ROWS, ROWS[:50]])
    np.savetxt(tmp_path / "a.csv", rows, fmt="%.17g", delimiter=",", header="x,t,u", comments="")
    published = locate(read_file(tmp_path / "a.csv"), TASK.problem.domain, ("u",))
    assert published.repeated == 50
    assert measure(published, TASK).rel_l2 == pytest.approx(REL_L2, rel=1e-6)


@pytest.mark.parametrize(
    ("first", "u", "said"),
    [
        (0, -1.1 * TRUTH, "already at its first time it is 210 % off: the initial state differs"),
        (3, -1.1 * TRUTH, "it is 210 % off: this is probably not burgers:forward"),
    ],
)
def test_a_file_of_another_problem(
    first: int, u: np.ndarray, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "a.npz", x=X, t=T[first:], u=u[:, first:])
    words = ["audit", str(tmp_path / "a.npz"), "--problem", "burgers:forward"]
    assert main(words) == 1
    assert said in capsys.readouterr().out
    assert main([*words, "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["probably_another_problem"] is True


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
        ("a.dat", b"1 2 3\n4 5\n", "line 2: 2 cells, but line 1 has 3; write one cell"),
        ("a.dat", b"", "holds no array of numbers"),
        ("a.dat", b"\xff\xfe\x00", "cannot read"),
        ("a.mat", b"not a mat file", "cannot read"),
        ("a.h5", b"\x89HDF\r\n\x1a\nbroken", "is damaged"),
        ("a.npz", b"PK\x03\x04broken", "cannot read"),
        (
            "a.csv",
            b"1,2,3,4\n1,2,3,4\n",
            "x and 3 moments, for which there are no times; give them",
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
        (
            ["audit", "a.npz", "--problem", "burgers", "--name", "v"],
            "--name 'v' is not a WHAT=ARRAY",
        ),
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
