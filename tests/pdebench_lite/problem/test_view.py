"""The view: `sees` is what was taken, and what is not given cannot be had."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.errors import NotGivenError, PdebenchError
from pdebench_lite.problem import Observation, split_derivative
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator

X = {"x": np.array([0.0, 0.25])}


def open_view(selector: str, seed: int = 0) -> View:
    """Open a view on a task."""
    return View(registry().task(selector), lambda purpose: generator(seed, purpose))


@pytest.fixture
def forward() -> View:
    """Burgers, given the initial state."""
    return open_view("burgers:forward[nu=0.1]")


@pytest.fixture
def reconstruction() -> View:
    """Burgers, given a snapshot."""
    return open_view("burgers[nu=0.1,points=8,noise=0.1]")


TAKE: dict[str, tuple[Callable[[View], object], dict[str, int | bool]]] = {
    "labels": (lambda v: v.labels(7), {"labels": 7}),
    "initial state": (lambda v: v.initial_state(X), {"initial_state": True}),
    "equation": (lambda v: v.equation(), {"residual": True, "coefficients": True}),
    "coefficients": (lambda v: v.coefficients(), {"coefficients": True}),
    "conditions": (lambda v: v.conditions(), {}),  # a periodic problem has none
    "embedding": (lambda v: v.embedding(), {"embedding": True}),
    "ansatz": (lambda v: v.ansatz(), {"ansatz": True}),
    "observations": (lambda v: v.observations(), {}),  # `forward` has none
    "schemes": (lambda v: v.schemes(), {}),
    "solver": (lambda v: v.solver(), {"step": True, "coefficients": True}),
    "frame": (lambda v: (v.domain, v.fields, v.unknowns, v.label), {}),
    "asking": (lambda v: [v.given(w) for w in ("ansatz", "initial_state", "data")], {}),
}


@pytest.mark.parametrize("what", TAKE)
def test_sees_is_what_was_taken(forward: View, what: str) -> None:
    take, expected = TAKE[what]
    assert forward.sees == {}
    take(forward)
    assert forward.sees == expected
    take(forward)
    assert forward.sees == expected


def test_observations_are_counted(reconstruction: View) -> None:
    reconstruction.observations()
    assert reconstruction.sees == {"snapshots": 1, "observed_values": 8}


@pytest.mark.parametrize(
    ("times", "sees"),
    [
        ([0.5, 0.5, 1.0], {"snapshots": 2, "observed_values": 3}),
        ([0.1, 0.2, 0.3], {"observed_values": 3}),
    ],
)
def test_values_at_one_time_are_a_snapshot(times: list[float], sees: dict[str, int]) -> None:
    points = {"x": np.zeros(3), "t": np.array(times)}
    task = SimpleNamespace(
        label="scattered", problem=registry().task("burgers").problem, unknowns=(), instances=0,
        observations=lambda rng: (Observation("u", points, np.zeros(3)),),
    )  # fmt: skip
    view = View(task, generator)  # type: ignore[arg-type] - stands in for a task
    view.observations()
    assert view.sees == sees


def test_the_most_labels_count(forward: View) -> None:
    for n in (5, 20, 10):
        forward.labels(n)
    assert forward.sees == {"labels": 20}


def test_what_is_not_given_cannot_be_had(reconstruction: View) -> None:
    with pytest.raises(NotGivenError, match="does not give its initial_state; it gives: boundary"):
        reconstruction.initial_state(X)
    assert reconstruction.ansatz() is None
    with pytest.raises(NotGivenError, match=r"no scheme 'magic' in burgers.*it has: muscl, etdrk4"):
        reconstruction.solver("magic")
    assert reconstruction.sees == {}
    assert not reconstruction.given("ansatz")
    assert reconstruction.given("solver")


def test_a_face_that_does_not_exist(fakes: Path) -> None:
    view = open_view("toy")
    for ask in (view.solver, view.schemes):
        with pytest.raises(NotGivenError, match="has no solver face; it has: data, equation"):
            ask()
    assert view.sees == {}


def test_no_labels_are_an_error(forward: View) -> None:
    with pytest.raises(PdebenchError, match="labels=0: ask for at least one"):
        forward.labels(0)


def test_observations_are_the_same_whenever_they_are_asked_for(reconstruction: View) -> None:
    (first,) = reconstruction.observations()
    reconstruction.labels(3)
    (again,) = reconstruction.observations()
    (elsewhere,) = open_view("burgers[nu=0.1,points=8,noise=0.1]").observations()
    (other,) = open_view("burgers[nu=0.1,points=8,noise=0.1]", seed=1).observations()
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.values, elsewhere.values)
    assert np.all(first.values != other.values)
    assert first.points["t"].tolist() == [0.5] * 8
    assert first.points["x"] == pytest.approx(np.linspace(-1, 1, 17)[1::2])


def test_noise_has_the_level_that_methods_are_told() -> None:
    def values(noise: float) -> tuple[np.ndarray, float]:
        (seen,) = open_view(f"burgers[nu=0.1,points=4096,noise={noise}]").observations()
        return seen.values, seen.noise

    clean, nothing = values(0.0)
    noisy, level = values(0.1)
    assert nothing == 0
    assert level == pytest.approx(0.1 * np.sqrt(np.mean(clean**2)))
    assert np.std(noisy - clean) == pytest.approx(level, rel=0.05)


def test_labels_are_the_truth_and_do_not_depend_on_the_order_of_asking(forward: View) -> None:
    (one,) = forward.labels(50)
    forward.observations()
    (two,) = forward.labels(50)
    for axis in ("x", "t"):
        np.testing.assert_array_equal(one.points[axis], two.points[axis])
    task = registry().task("burgers:forward[nu=0.1]")
    truth = task.problem.reference().evaluate(dict(one.points))["u"]
    np.testing.assert_array_equal(one.values, truth)
    assert one.points["x"].min() >= -1
    assert one.points["t"].max() <= 1


def test_labels_hold_the_unknown_coefficients_too() -> None:
    view = open_view("advection-density")
    sought = {u.name for u in view.unknowns if u.kind == "coefficient"}
    names = {observation.field for observation in view.labels(5)}
    assert sought
    assert names == {*view.fields, *sought}
    assert not sought & set(view.coefficients())


def test_blank_labels_have_the_places_of_labels_and_nothing_else(forward: View) -> None:
    blank = forward.blank()
    assert forward.sees == {}
    for empty, label in zip(blank, forward.labels(1), strict=True):
        assert empty.field == label.field
        assert empty.values.shape == label.values.shape
        assert not empty.values.any()
        assert empty.points.keys() == label.points.keys()


def test_the_ansatz_is_exact_at_the_start(forward: View) -> None:
    ansatz = forward.ansatz()
    assert ansatz is not None
    points = {"x": np.linspace(-1, 1, 9), "t": np.zeros(9)}
    fields = ansatz({"u": np.full(9, 7.0)}, points)
    np.testing.assert_array_equal(fields["u"], forward.initial_state({"x": points["x"]})["u"])
    nothing, something = (
        ansatz({"u": np.full(9, raw)}, points | {"t": np.full(9, 0.5)})["u"] for raw in (0.0, 7.0)
    )
    share = (something - nothing) / 7.0  # g: of the network, which takes over from the start
    assert 0.0 < share[0] < 1.0
    np.testing.assert_allclose(share, share[0])
    np.testing.assert_allclose(nothing, (1.0 - share) * fields["u"], atol=1e-15)


def test_the_embedding_knows_the_period(forward: View) -> None:
    embed = forward.embedding()
    left = embed({"x": np.array([-1.0]), "t": np.array([0.0])})
    right = embed({"x": np.array([1.0]), "t": np.array([1.0])})
    assert len(left) == 3
    np.testing.assert_allclose(left[:2], right[:2], atol=1e-15)
    np.testing.assert_allclose([left[2], right[2]], [[-1.0], [1.0]])


def test_the_solver_has_its_known_coefficients_filled_in(forward: View) -> None:
    scheme, grid = forward.solver("etdrk4"), forward.domain.grid(64)
    state = forward.initial_state(grid.points())
    dt = scheme.max_dt(state, {}, grid)
    stepped = scheme.step(state, {}, 0.0, dt, grid)["u"]
    truth = registry().task("burgers:forward[nu=0.1]").problem.reference().evaluate
    exact = truth({"x": grid.points()["x"], "t": np.full(64, dt)})["u"]
    np.testing.assert_allclose(stepped, exact, atol=1e-5)


def test_the_equation_vanishes_on_a_solution(forward: View) -> None:
    equation = forward.equation()
    assert equation.known == {"nu": 0.1}
    assert equation.derivatives_of("u") == ("", "t", "x", "xx")
    d = {"u": 2.0, "u_t": -6.0, "u_x": 3.0, "u_xx": 0.0, "nu": 0.1}
    assert equation.residual(d) == {"burgers": 0.0}
    assert split_derivative("u_xx") == ("u", "xx")


def test_the_view_holds_no_truth(reconstruction: View) -> None:
    assert not [name for name in dir(reconstruction) if "reference" in name or "truth" in name]
