"""Figures of what was sought: bands, singular values, weights; and what they are read from."""

from typing import Any

import matplotlib.text
import numpy as np
import pytest

from pdebench_lite.report.figures import plot_all, posterior, spectra, style, weights
from pdebench_lite.report.figures.data import Entry, Group
from pdebench_lite.report.searches import spectrum_of, sweep_of, taken_row
from pdebench_lite.store.records import Store

X = np.linspace(-1.0, 1.0, 41)
VALUES, DATA = 10.0 ** -np.arange(0.0, 8.0), 2.0 * 3.0 ** -np.arange(0.0, 8.0)
DETAILS: dict[str, Any] = {
    "weight": 1e-6,
    "weight_by": "largest evidence",
    "explained": 4e-4,
    "noise": 1e-3,
    "unreached": 1e-6,
    "sweep": {
        "weight": [1.0, 1e-2, 1e-4, 1e-6, 1e-6],
        "misfit": [0.5, 0.1, 1e-2, 4e-4, 3e-4],
        "norm": [0.1, 0.5, 1.0, 4.0, 2.0],
        "evidence": [None, -200.0, -30.0, -25.0, -20.0],
        "prior": [0, 0, 0, 0, 2],
    },
    "spectrum": {"singular_value": VALUES.tolist(), "data_coefficient": DATA.tolist()},
}


def band(error: float = 0.1, deviation: float = 0.1) -> dict[str, dict[str, list[float]]]:
    """A sine that is off by `error` on one half."""
    true = np.sin(np.pi * X)
    found = true + error * (X > 0.0)
    stated = np.full(X.size, deviation)
    return {"u_initial": {"x": X.tolist(), "found": found.tolist(), "true": true.tolist(),
                          "deviation": stated.tolist()}}  # fmt: skip


def group_of(*records: Any) -> Group:
    entries = [Entry(record, Store("nowhere").folder(record.cell)) for record in records]
    return Group("burgers", entries, style.Looks(records))


def words(figure: Any) -> list[str]:
    return [t.get_text() for t in figure.findobj(matplotlib.text.Text) if t.get_text()]


def drawn(module: Any, *records: Any) -> list[tuple[str, Any]]:
    heard: list[str] = []
    with style.styled():
        made = list(module.draw(group_of(*records).with_(say=heard.append)))
        for one in made:
            one.figure.draw_without_rendering()
    assert heard == []
    return [(one.suffix, one.figure) for one in made]


def test_a_band_is_drawn_where_it_is_stated(make: Any) -> None:
    sure = make("diffphys", "jax", bands=band(0.1, 0.04))
    ((part, figure),) = drawn(
        posterior, sure, make("pinn"), make("diffphys", "torch", bands=band())
    )
    assert part == ""
    said = words(figure)
    assert {"diffphys · jax", "diffphys · torch", "u_initial", "found − true"} <= set(said)
    inside = np.mean(X <= 0.0)
    assert f"truth within the band at {inside:.0%} of the points" in said
    assert "truth within the band at 100% of the points" in said
    top = figure.axes[0]
    area = top.collections[0].get_paths()[0].vertices
    assert area[:, 1].max() == pytest.approx(1.1 + 1.96 * 0.04, abs=1e-3)
    assert figure.get_figwidth() in (6.9, 3.4)


def test_several_unknowns_have_figures_of_their_own(make: Any) -> None:
    both = {**band(), "v": band()["u_initial"]}
    assert [part for part, _ in drawn(posterior, make(bands=both))] == ["-u-initial", "-v"]


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"u_initial": {"x": [0.0, 1.0], "found": [0.0], "true": [0.0], "deviation": [1.0]}},
        {"u_initial": {"x": [], "found": [], "true": [], "deviation": []}},
        {"u_initial": {"x": [0.0], "found": [0.0], "true": [0.0]}},
        {"u_initial": {"found": [0.0], "true": [0.0], "deviation": [1.0]}},
    ],
)
def test_no_band_no_figure(make: Any, broken: Any) -> None:
    assert drawn(posterior, make(bands=broken)) == []


def test_singular_values_and_how_many_count(make: Any) -> None:
    ((_, figure),) = drawn(spectra, make("diffphys", details=DETAILS, params=17), make("pinn"))
    left, right = figure.axes
    (curve, line), (points, noise) = left.lines, right.lines
    np.testing.assert_allclose(curve.get_ydata(), VALUES / VALUES[0])
    assert line.get_ydata()[0] == pytest.approx(1e-3), "the root of the weight"
    np.testing.assert_allclose(points.get_ydata(), DATA)
    assert noise.get_ydata()[0] == 1e-3
    assert left.get_yscale() == right.get_yscale() == "log"
    expected = sum(s**2 / (s**2 + 1e-6) for s in VALUES)
    (label,) = (t for t in words(figure) if "determined" in t)
    assert label == f"diffphys · jax: {expected:.0f} of 17 parameters determined"


def test_weights_are_an_l_curve_with_what_was_taken(make: Any) -> None:
    ((_, figure),) = drawn(weights, make("diffphys", details=DETAILS))
    curve, evidence = figure.axes
    stars = [line for line in curve.lines if line.get_marker() == "*"]
    assert [(float(s.get_xdata()[0]), float(s.get_ydata()[0])) for s in stars] == [
        (pytest.approx(3e-4**0.5), pytest.approx(2.0**0.5))
    ]
    hollow = [line for line in curve.lines if line.get_markerfacecolor() == "w"]
    assert hollow[0].get_xdata().size == 4, "the prior that was taken is not theirs"
    (star,) = [line for line in evidence.lines if line.get_marker() == "*"]
    assert star.get_xdata()[0] == 1e-6
    assert {"1e-06", "under another prior", "misfit that is explained"} <= set(words(figure))
    assert "diffphys · jax: largest evidence" in words(figure)


def test_a_sweep_without_evidence_or_spectrum_is_an_l_curve_alone(make: Any) -> None:
    sweep = {k: v for k, v in DETAILS["sweep"].items() if k in ("weight", "misfit", "norm")}
    ((_, figure),) = drawn(weights, make("diffphys", details={"weight": 1e-4, "sweep": sweep}))
    (axes,) = figure.axes
    line = axes.lines[0]
    np.testing.assert_allclose(line.get_xdata(), np.sqrt(sweep["misfit"]))
    assert "1e-04" in words(figure)
    given = make("diffphys", details=DETAILS, config={"weight": 1e-4})
    assert drawn(weights, given) == [], "it was a setting"
    few = {name: values[:2] for name, values in sweep.items()}
    assert drawn(weights, make("diffphys", details={"sweep": few})) == []


def test_all_weights_at_once_are_those_of_the_normal_equations(make: Any) -> None:
    """Of the diagonal problem s·z = e with a rest that nothing reaches."""
    spectrum = spectrum_of(make(details=DETAILS))
    for w in (1e-2, 1e-6):
        z = VALUES * DATA / (VALUES**2 + w)
        misfit, norm, evidence = (float(v[0]) for v in spectrum.sweep(np.array([w])))
        assert misfit**2 == pytest.approx(np.sum((VALUES * z - DATA) ** 2) + 1e-6)
        assert norm**2 == pytest.approx(np.sum(z**2))
        fit = misfit**2 + w * norm**2
        logs = -0.5 * (np.sum(np.log1p(VALUES**2 / w)) + fit / DETAILS["noise"] ** 2)
        assert evidence == pytest.approx(logs)


@pytest.mark.parametrize("odd", [None, 3, [], {}, {"weight": []}, {"weight": [1.0, "x"]}, {"a": 1}])
def test_details_may_hold_anything(make: Any, odd: Any) -> None:
    record = make(details={"sweep": odd, "spectrum": odd, "weight": "heavy", "noise": None})
    assert sweep_of(record) is None
    assert spectrum_of(record) is None
    assert drawn(weights, record) == drawn(spectra, record) == []


def test_what_was_taken_is_the_last_row_of_its_number() -> None:
    table: Any = {"k": [1, 2, 3, 4], "weight": [1.0, 0.1, 0.1, 0.01]}
    assert taken_row(table, {"weight": 0.1 * (1 + 1e-12)}) == 2
    assert taken_row(table, {"weight": 0.2}) is None
    assert taken_row(table, {"weight": True}) is None


def test_they_need_no_fields(make: Any, tmp_path: Any) -> None:
    store = Store(tmp_path / "r")
    record = make("diffphys", details=DETAILS, bands=band())
    store.publish(record, store.workspace(record.cell))
    again = store.load().records
    assert again == [record]
    files = plot_all(store, again, tmp_path / "f", ("png",))
    names = {file.stem for file in files}
    assert {"burgers-posterior", "burgers-spectrum", "burgers-weights"} <= names
