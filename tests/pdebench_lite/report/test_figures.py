"""Figures: files, fonts, colours, failures in place, and fields of any shape."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib.text
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pdebench_lite.analysis.comparison import part_of
from pdebench_lite.analysis.entrants import Contest, Source, contest
from pdebench_lite.analysis.overall import profile_blocks
from pdebench_lite.errors import PdebenchError
from pdebench_lite.report.figures import (
    convergence,
    costs,
    maps,
    plot_all,
    profiles,
    slices,
    style,
    work_precision,
)
from pdebench_lite.report.figures.data import Group, groups
from pdebench_lite.store.records import FIELDS, HISTORY, Store

KINDS = ("maps", "convergence", "costs", "slices")


def few(store: Store) -> list[Any]:
    """One torch case, one with two seeds, one that diverged, one unsupported."""
    wanted = lambda r: (r.label in ("mlp", "pinn") and r.backend == "torch") or r.status in (  # noqa: E731
        "diverged", "unsupported",
    )  # fmt: skip
    return [record for record in store.load().records if wanted(record)]


@pytest.fixture(scope="module")
def files(store: Store, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return plot_all(store, few(store), tmp_path_factory.mktemp("figures"), ("pdf", "png"))


@pytest.fixture(scope="module")
def whole(store: Store) -> Group:
    records = store.load().records
    (group,) = groups(store, records)
    with style.styled():
        return group.with_(looks=style.Looks(records), say=print)


def of(run: Contest, page: style.Page = style.PLAIN, say: Any = print) -> Group:
    """A problem of which only the comparison is known; it is all problems, too."""
    part = Group(run.label, [], style.Looks(run.records, page), say, race=lambda: run)
    return part.with_(parts=[part])


@pytest.fixture(scope="module")
def figures(whole: Any) -> dict[Any, Any]:
    """The figures of the whole study, drawn and not written."""
    made = {}
    with style.styled():
        for module in (maps, convergence, costs, slices):
            (drawn,) = module.draw(whole)
            made[module] = drawn.figure
    return made


def words(figure: Any) -> list[str]:
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def test_every_figure_is_written_in_each_format(files: list[Path]) -> None:
    stems = [*(f"burgers-{kind}" for kind in (*KINDS, "work-precision")), "all-profiles"]
    assert {f.name for f in files} == {f"{n}.{s}" for n in stems for s in ("pdf", "png")}
    for file in files:
        head = {".pdf": b"%PDF", ".png": b"\x89PNG"}[file.suffix]
        assert file.read_bytes().startswith(head)
        assert file.stat().st_size > 5000


def test_fonts_are_embedded_as_type_42(files: list[Path]) -> None:
    for file in files:
        if file.suffix == ".pdf":
            assert b"/Type3" not in file.read_bytes()
            assert b"/CIDFontType2" in file.read_bytes() or b"/TrueType" in file.read_bytes()


def test_the_same_records_give_the_same_bytes(
    store: Store, files: list[Path], tmp_path: Path
) -> None:
    entries = next(groups(store, few(store))).entries
    with style.styled():
        again = Group("burgers", entries, style.Looks(few(store)))
        (drawn,) = convergence.draw(again)
        paths = style.save(drawn.figure, tmp_path / "c", ("pdf", "png"))
    first = {f.suffix: f for f in files if f.stem == "burgers-convergence"}
    for path in paths:
        assert path.read_bytes() == first[path.suffix].read_bytes()


def test_figures_are_as_wide_as_a_page_or_a_column(figures: Any) -> None:
    for figure in figures.values():
        assert figure.get_figwidth() in (6.9, 3.4, 0.75 * 6.9)
        assert figure.get_figheight() < 9.2
        for text in figure.findobj(matplotlib.text.Text):
            assert not text.get_text() or text.get_fontsize() >= 6


def test_a_method_has_one_colour_everywhere(whole: Any, figures: Any) -> None:
    group, looks = whole, whole.looks
    for record in group.records:
        color = looks[record].color
        if record.status == "ok":
            for figure in (figures[m] for m in (convergence, costs, slices)):
                used = [line.get_color() for axes in figure.axes for line in axes.lines]
                used += [line.get_markeredgecolor() for axes in figure.axes for line in axes.lines]
                assert any(u == color for u in used)
    colors = [look.color for look in looks.methods.values()]
    markers = [look.marker for look in looks.methods.values()]
    assert len(set(colors)) == len(set(markers)) == len(colors)


def test_colours_do_not_depend_on_who_else_is_there(make: Any) -> None:
    methods = ("mlp", "pinn", "diffphys", "etdrk4")
    together = style.Looks([make(m) for m in methods])
    for method in methods:
        record = make(method)
        assert style.Looks([record])[record] == together[record]


def test_failures_are_marked_in_place(whole: Any, figures: Any) -> None:
    labels = [t.get_text() for t in figures[costs].axes[0].get_yticklabels()]
    assert len(labels) == len(whole.cases()) == 10
    failed = {"× diverged", "× crashed", "× timeout", "– unsupported"}
    assert failed <= set(words(figures[costs]))
    assert failed <= set(words(figures[maps]))
    crosses = [x for x in figures[convergence].axes[0].lines if x.get_marker() == "x"]
    assert [x.get_markeredgecolor() for x in crosses] == [style.FAILED] * 3
    assert any("(diverged)" in text for text in words(figures[slices]))


def test_maps_show_the_unknown_and_slices_the_observations(figures: Any) -> None:
    assert "u_initial" in words(figures[maps])
    assert "t = 0.5" in words(figures[slices])
    lines = [line for axes in figures[slices].axes for line in axes.lines]
    assert max(len(x.get_xdata()) for x in lines if x.get_marker() == ".") == 32


def test_an_unknown_over_a_plane_has_maps(in_a_plane: Store) -> None:
    (group,) = groups(in_a_plane, in_a_plane.load().records)
    heard: list[str] = []
    with style.styled():
        given = group.with_(looks=style.Looks(group.records), say=heard.append)
        drawn = {one.suffix: one.figure for one in maps.draw(given)}
    assert heard == []
    assert list(drawn) == ["", "-found-u", "-found-v"]
    assert {"motion: d at t = 1, and its error", "reference"} <= set(words(drawn[""]))
    said = set(words(drawn["-found-u"]))
    assert {"motion: u as found, and its error", "true"} <= said
    assert {"relative error 1.0e-01", "relative error 2.0e-02"} <= said
    top = drawn["-found-u"].axes[0]
    (truth,) = top.collections
    assert truth.get_array().shape == (20, 24), "x across, y up"
    assert top.get_aspect() == 1.0
    assert {axes.get_title() for axes in drawn["-found-v"].axes} >= {"pinn · jax", "diffphys · jax"}


def test_titles_and_legends_stay_within_a_column(make: Any) -> None:
    labels = [f"pinn[optimizer=ssbroyden,width={k}]" for k in range(12)]
    looks = style.Looks([make(label=label) for label in labels], style.page("column"))
    with style.styled():
        figure = style.figure(style.PLAIN.column, 3.0)
        figure.subplots()
        style.title(figure, "burgers[ic=random,instance=5,noise=0.01]", "work and precision")
        style.legend_below(figure, looks.legend([make(label=label) for label in labels]))
        figure.draw_without_rendering()
        (legend,) = figure.legends
        assert legend._ncols == 2
        for artist in (legend, figure._suptitle):
            box = artist.get_window_extent().transformed(figure.transFigure.inverted())
            assert box.x0 >= 0
            assert box.x1 <= 1
        assert figure.axes[0].get_window_extent().height / figure.dpi > 1.8, "the panel keeps room"


def put_fields(store: Store, record: Any, dims: tuple[str, ...]) -> None:
    folder = store.workspace(record.cell)
    coords = {d: np.linspace(0, 1, 12) for d in dims}
    truth = np.random.default_rng(0).random((12,) * len(dims))
    data = {"w": (dims, truth * 1.01), "w_reference": (dims, truth)}
    xr.Dataset(data, coords).to_netcdf(folder / FIELDS, engine="h5netcdf")
    store.publish(record, folder)


@pytest.mark.parametrize(
    ("dims", "made"),
    [
        ("x", {"costs", "slices"}),
        ("xy", {"costs", "maps"}),
        ("xyt", {"costs", "maps"}),
        ("xyzt", {"costs"}),
    ],
)
def test_fields_of_any_shape(make: Any, tmp_path: Path, dims: str, made: set[str]) -> None:
    store, record, heard = Store(tmp_path / "r"), make(), []
    put_fields(store, record, tuple(dims))
    files = plot_all(store, [record], tmp_path / "f", ("png",), heard.append)
    assert {f.stem.removeprefix("burgers-") for f in files} == made | {"work-precision"}
    assert len(heard) == len(KINDS) - len(made) + 1
    assert all("burgers: no " in line for line in heard[:-1])
    assert "no performance profiles" in heard[-1], "it was alone"


def test_hostile_labels_and_broken_files(make: Any, tmp_path: Path) -> None:
    store = Store(tmp_path / "r")
    label = "../../$\\frac{1}$中\x1b[31m<b>" + "é" * 200
    records = [make(problem_label=label, label=f"_{label}"), make("mlp", problem_label=label)]
    put_fields(store, records[0], ("x", "t"))
    (store.folder(records[0].cell) / "history.parquet").write_bytes(b"garbage")
    files = plot_all(store, records, tmp_path / "f", ("png",))
    assert {f.parent for f in files} == {tmp_path / "f"}
    assert all(f.name.isascii() and len(f.name) < 150 for f in files)
    names: dict[str, str] = {}
    for text in ("a/b", "a:b", "a b", "a-b", "..", "burgers[nu=0.02]"):
        names[style.slug(text, names)] = text
    assert len(names) == 6
    assert names["burgers-nu0.02"] == "burgers[nu=0.02]"


def test_errors_are_plain(make: Any, tmp_path: Path) -> None:
    with pytest.raises(PdebenchError, match="unknown figure format 'pgn'; did you mean 'png'"):
        plot_all(Store(tmp_path), [make()], tmp_path, ("pgn",))
    (tmp_path / "file").write_text("")
    with pytest.raises(PdebenchError, match="cannot write figures"):
        plot_all(Store(tmp_path), [make()], tmp_path / "file" / "out")


# ---- races -----------------------------------------------------------------------------------


def race(make: Any, root: Path) -> Contest:
    """Three seeds of two methods, one of which fails once; one that always fails; a solver."""
    records = []
    store = Store(root)
    data = {"initial_state": True, "coefficients": True}
    rows = [("pinn", "jax", 0.1), ("pinn", "torch", 0.2), ("diffphys", "jax", 0.01)]
    for method, backend, error in rows:
        for seed in range(3):
            bad = method == "diffphys" and seed == 2
            ending = {"status": "diverged", "reason": "boom"} if bad else {}
            record = make(method, backend, seed=seed, sees=data, charged_s=9.0 + seed, **ending)
            records.append((record, error * (1 + seed)))
    records.append((make("mlp", "jax", status="crashed", reason="bang", sees=data), 0.5))
    for cells in (64, 128):
        label = f"etdrk4[cells={cells}]"
        solver = make("etdrk4", "numpy", label=label, sees=data, charged_s=cells / 1e3,
                      metrics={"rel_l2": cells**-2.0})  # fmt: skip
        records.append((solver, cells**-2.0))
    for record, error in records:
        folder = store.workspace(record.cell)
        t = np.geomspace(0.01, record.charged_s, 20)
        table = {"charged_s": t, "rel_l2": np.geomspace(1.0, error, 20)}
        pd.DataFrame(table).to_parquet(folder / HISTORY)
        store.publish(record, folder)
    return contest("burgers", [(Source(store), record) for record, _ in records])


def test_work_and_precision(make: Any, tmp_path: Path) -> None:
    run = race(make, tmp_path)
    with style.styled():
        looks = style.Looks(run.records)
        (drawn,) = work_precision.draw(of(run).with_(looks=looks))
    figure = drawn.figure
    (axes,) = figure.axes
    (curve,) = [line for line in axes.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(curve.get_xdata(), [0.064, 0.128])
    np.testing.assert_allclose(curve.get_ydata(), [64.0**-2, 128.0**-2])
    steps = [line for line in axes.lines if line.get_drawstyle() == "steps-post"]
    assert {line.get_color() for line in steps} == {
        looks.methods[m].color for m in ("pinn", "diffphys")
    }
    ends = sorted(float(line.get_ydata()[-1]) for line in steps)
    assert ends == pytest.approx([0.02, 0.2, 0.4], rel=0.2), "medians over three seeds"
    assert len(axes.collections) == 3, "a band each"
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    assert [line.get_color() for line in crosses] == [looks.methods["mlp"].color]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [
        "pinn", "diffphys", "mlp", "etdrk4 (curve of 2)", "torch", "jax", "all seeds",
        "no median: failed",
    ]  # fmt: skip


def test_many_profiles_are_set_in_rows(make: Any, tmp_path: Path) -> None:
    run = race(make, tmp_path)
    (block,) = profile_blocks([part_of(run)])
    assert block.budget == "budget 30 s"
    page = style.page("column")
    with style.styled(page), pytest.MonkeyPatch.context() as patch:
        patch.setattr(profiles, "profile_blocks", lambda parts: [block] * 3)
        (drawn,) = profiles.draw(of(run, page))
        figure = drawn.figure
        assert figure.get_figwidth() == page.column
        assert figure.axes[0].get_gridspec().get_geometry() == (3, 1)
        (drawn,) = profiles.draw(of(run))
        figure = drawn.figure
        assert figure.axes[0].get_gridspec().get_geometry() == (1, 3)
        figure.draw_without_rendering()
        titles = [axes.get_tightbbox().bounds for axes in figure.axes]
        assert all(a[0] + a[2] <= b[0] for a, b in pairwise(titles)), "none runs into the next"


def test_profiles(make: Any, tmp_path: Path) -> None:
    run = race(make, tmp_path)
    with style.styled():
        (drawn,) = profiles.draw(of(run))
        figure = drawn.figure
    (axes,) = figure.axes
    shares = {line.get_marker(): float(line.get_ydata()[-1]) for line in axes.lines}
    assert shares["D"] == 1.0, "the solver reaches everything, and first"
    assert shares["o"] == 0.0, "who always fails stays in the figure"
    assert all(np.diff(np.asarray(line.get_ydata())).min() >= 0 for line in axes.lines)
    assert all(np.diff(np.asarray(line.get_xdata())).min() >= 0 for line in axes.lines)
    assert "errors on 1 problem" in axes.get_title(loc="left")


def test_what_cannot_be_drawn_is_said(make: Any, tmp_path: Path) -> None:
    run = contest("burgers", [(Source(Store(tmp_path)), make(charged_s=None))])
    heard: list[str] = []
    with style.styled():
        given = of(run, say=heard.append)
        assert not list(work_precision.draw(given))
        assert not list(profiles.draw(given))
    assert heard[0].startswith("burgers: no work–precision figure")
    assert heard[1].startswith("no performance profiles")


@pytest.mark.parametrize(
    ("name", "full", "column"),
    [("neurips", 5.5, 3.3), ("icml", 6.75, 3.25), ("jcp", 7.48, 3.54), ("column", 3.4, 3.4)],
)
def test_pages(name: str, full: float, column: float) -> None:
    page = style.page(name)
    assert (page.full, page.column) == pytest.approx((full, column), abs=0.01)
    with pytest.raises(PdebenchError, match="unknown style 'nips'; did you mean 'neurips'"):
        style.page("nips")


def test_figures_for_a_journal_have_its_width_and_embedded_fonts(make: Any, tmp_path: Path) -> None:
    run = race(make, tmp_path)
    page = style.page("jcp")
    with style.styled(page):
        (drawn,) = work_precision.draw(of(run, page))
        figure = drawn.figure
        assert figure.get_figwidth() == pytest.approx(90 / 25.4)
        pdf, svg = style.save(figure, tmp_path / "f", ("pdf", "svg"))
        (again,) = style.save(figure, tmp_path / "again", ("svg",))
    assert b"/Type3" not in pdf.read_bytes()
    assert b"STIX" in pdf.read_bytes()
    assert svg.read_bytes().startswith(b"<?xml")
    assert svg.read_bytes() == again.read_bytes()


def test_in_a_column_panels_stand_below_each_other(whole: Any) -> None:
    page = style.page("column")
    with style.styled(page):
        group = whole.with_(looks=style.Looks(whole.records, page))
        for module, rows in ((costs, 3), (convergence, 2), (slices, 2)):
            (drawn,) = module.draw(group)
            figure = drawn.figure
            assert figure.get_figwidth() == page.column
            assert figure.axes[0].get_gridspec().nrows == rows


def test_solvers_and_methods_that_learn_share_no_colour(make: Any) -> None:
    solvers = [make(m, "numpy", family="classical") for m in ("adjoint", "etdrk4", "muscl")]
    learners = [make(label=f"pinn[width={k}]") for k in range(20)]
    looks = style.Looks([*solvers, *learners])
    dark = {looks[record].color for record in solvers}
    assert len(dark) == 3
    assert max(max(color) - min(color) for color in dark) < 0.35, "little chroma"
    bright = {looks[record].color for record in learners}
    assert len(bright) == 20, "as many as shipped results have"
    assert dark.isdisjoint(bright)


def test_resolutions_of_a_solver_share_its_colour(make: Any) -> None:
    labels = [f"{m}[cells={n}]" for m in ("etdrk4", "muscl") for n in (64, 128)]
    records = [
        make(label.partition("[")[0], "numpy", label=label, family="classical") for label in labels
    ]
    looks = style.Looks([*records, make("pinn", label="pinn[width=9]")])
    colors = [looks[record].color for record in records]
    assert colors[0] == colors[1] != colors[2] == colors[3]
    assert looks.methods["pinn[width=9]"].color not in colors
    assert len({looks[record].marker for record in records}) == 4


def test_nothing_is_loaded_before_it_is_drawn() -> None:
    code = (
        "import sys, pdebench_lite.report.figures, pdebench_lite.report.table;"
        "sys.exit(any(m in sys.modules for m in ('matplotlib', 'seaborn', 'torch', 'jax')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
