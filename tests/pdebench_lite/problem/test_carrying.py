"""Carrying: a found initial state, followed forward, agrees with the exact solution."""

from typing import Any

import numpy as np
import pytest

from pdebench_lite.errors import DivergedError
from pdebench_lite.problem import Carried, Domain, Interval, Periodic, Problem, Scheme
from pdebench_lite.problem.carrying import carry_initial_state, rollout
from pdebench_lite.registry.discovery import registry

DOMAIN = Domain(Interval(x=(0, 1)), (0, 1), Periodic("x"))
TIMES = np.linspace(0.0, 1.0, 6)


def burgers(settings: str) -> Problem:
    """Burgers' equation."""
    return registry().task(f"burgers:forward[{settings}]").problem


def compare(problem: Problem, carried: Carried, axes: dict[str, np.ndarray]) -> float:
    """Relative L2 difference of carried fields to the reference."""
    x, t = np.meshgrid(axes["x"], axes["t"], indexing="ij")
    exact = problem.reference().evaluate({"x": x.ravel(), "t": t.ravel()})["u"].reshape(x.shape)
    return float(np.linalg.norm(carried.fields["u"] - exact) / np.linalg.norm(exact))


@pytest.mark.parametrize("settings", ["nu=0.01", "nu=0.02,ic=random,instance=3", "nu=0.5"])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-8])
def test_the_true_state_carried_is_the_exact_solution(settings: str, tolerance: float) -> None:
    problem = burgers(settings)
    axes = {"x": np.linspace(-1, 1, 33), "t": np.linspace(0, 1, 11)}
    carried = problem.carry({"u_initial": lambda p: problem.initial_state(p)["u"]}, axes, tolerance)
    assert carried is not None
    assert carried.fields["u"].shape == (33, 11)
    assert carried.bound <= tolerance
    assert compare(problem, carried, axes) <= carried.bound + 1e-12


def test_a_shifted_state_gives_the_shifted_solution() -> None:
    problem, shift = burgers("nu=0.02"), 0.3
    axes = {"x": np.linspace(-1, 1, 41), "t": np.linspace(0, 1, 5)}
    found = {"u_initial": lambda p: problem.initial_state({"x": p["x"] - shift})["u"]}
    carried = problem.carry(found, axes, 1e-8)
    assert carried is not None
    x, t = np.meshgrid(axes["x"] - shift, axes["t"], indexing="ij")
    exact = problem.reference().evaluate({"x": x.ravel(), "t": t.ravel()})["u"].reshape(x.shape)
    np.testing.assert_allclose(carried.fields["u"], exact, atol=1e-7)


def test_a_moving_frame_moves_the_solution() -> None:
    """u(x, 0) + c gives u(x − ct, t) + c."""
    problem, c = burgers("nu=0.05"), 0.4
    axes = {"x": np.linspace(-1, 1, 41), "t": np.linspace(0, 1, 5)}
    found = {"u_initial": lambda p: problem.initial_state(p)["u"] + c}
    carried = problem.carry(found, axes, 1e-8)
    assert carried is not None
    x, t = np.meshgrid(axes["x"], axes["t"], indexing="ij")
    at = {"x": (x - c * t).ravel(), "t": t.ravel()}
    exact = problem.reference().evaluate(at)["u"].reshape(x.shape) + c
    np.testing.assert_allclose(carried.fields["u"], exact, atol=1e-7)


def scheme(rate: float = 0.0, limit: float = 0.1) -> Scheme:
    """u' = rate·u by Euler steps; counts them in `scheme.steps`."""

    def step(state: Any, unknowns: Any, t: float, dt: float, grid: Any) -> Any:
        return {"u": state["u"] * (1 + rate * dt)}

    return Scheme(step, lambda state, unknowns, grid: limit)


def test_steps_are_equal_between_times_and_never_longer_than_allowed() -> None:
    taken: list[float] = []

    def step(state: Any, unknowns: Any, t: float, dt: float, grid: Any) -> Any:
        taken.append(dt)
        return state

    counting = Scheme(step, lambda state, unknowns, grid: 0.07)
    grid = DOMAIN.grid(8)
    out = rollout(counting, {"u": np.ones(8)}, {}, np.array([0.0, 0.2, 0.21]), grid, 1.0)
    assert out["u"].shape == (8, 3)
    assert taken == pytest.approx([0.2 / 3] * 3 + [0.01])
    taken.clear()
    rollout(counting, {"u": np.ones(8)}, {}, np.array([0.0, 0.2]), grid, 0.5)
    assert taken == pytest.approx([0.2 / 6] * 6)


def test_what_is_carried_is_interpolated_exactly() -> None:
    wave = {"u": lambda p: 1 + np.cos(2 * np.pi * 3 * p["x"]) + np.sin(2 * np.pi * 5 * p["x"])}
    axes = {"x": np.array([0.0, 0.123, 0.5, 1.0]), "t": TIMES}
    carried = carry_initial_state(DOMAIN, scheme(), wave, {}, axes, 1e-3, cells=(16, 32))
    np.testing.assert_allclose(
        carried.fields["u"], wave["u"](axes)[:, None] * np.ones(6), atol=1e-13
    )
    assert carried.bound < 1e-13


def test_refinement_ends_and_says_how_far_it_came() -> None:
    rough = {"u": lambda p: np.sign(p["x"] - 0.4)}
    axes = {"x": np.linspace(0, 1, 7), "t": TIMES}
    carried = carry_initial_state(DOMAIN, scheme(), rough, {}, axes, 1e-9, cells=(8, 64))
    assert carried.bound > 1e-3


def test_explosions_are_named() -> None:
    axes = {"x": np.linspace(0, 1, 7), "t": TIMES}
    start = {"u": lambda p: 1 + p["x"]}
    late = pytest.raises(DivergedError, match=r"the carried state is not finite at t = 0\.\d")
    with late, np.errstate(all="ignore"):
        carry_initial_state(DOMAIN, scheme(rate=1e300), start, {}, axes, 1e-3)
    with pytest.raises(DivergedError, match="to be carried is not finite"):
        carry_initial_state(DOMAIN, scheme(), {"u": lambda p: p["x"] * np.nan}, {}, axes, 1e-3)


def test_a_state_that_would_take_for_ever_is_refused_at_once() -> None:
    """A method that explodes must not make the harness weigh a million nodes per point."""
    problem = burgers("nu=0.01")
    axes = {"x": np.linspace(-1, 1, 9), "t": np.linspace(0, 1, 5)}
    huge = {"u_initial": lambda p: 1e9 * np.sin(np.pi * p["x"])}
    with pytest.raises(DivergedError, match=r"a state of size 9\.99e\+08 would take .* nodes"):
        problem.carry(huge, axes, 1e-3)


def test_a_grid_that_would_take_for_ever_is_not_used() -> None:
    axes = {"x": np.linspace(0, 1, 7), "t": TIMES}
    rough = {"u": lambda p: np.sign(p["x"] - 0.4)}
    fine = Scheme(
        lambda state, *args: state,
        lambda state, unknowns, grid: 1e-3 if grid.cells[0] < 64 else 1e-7,
    )
    carried = carry_initial_state(DOMAIN, fine, rough, {}, axes, 1e-9, cells=(16, 1024))
    assert np.isfinite(carried.bound)
