"""Points that crowd at shocks, and the H¹ semi-norm on them."""

import numpy as np
import pytest

from pdebench_lite.metrics import CORE_METRICS
from pdebench_lite.metrics.steep import _clustered
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry

METRICS = {m.name: m for m in CORE_METRICS}


def wave(p):
    return np.sin(2 * np.pi * (p["x"] - p["t"]))


def test_by_hand(scores):
    found = scores(lambda p: 1.5 * wave(p))
    assert found["rel_h1"] == pytest.approx(0.5)
    assert found["rel_l2_shock"] == pytest.approx(0.5)
    offset = scores(lambda p: wave(p) + 0.1)
    assert offset["rel_h1"] == pytest.approx(0.0, abs=1e-9)  # a constant has no slope
    assert offset["rel_l2_shock"] > 0.1


@pytest.mark.parametrize("k", [3, 10])
def test_the_crowding_does_not_weigh_on_the_semi_norm(scores, k):
    """A ripple of amplitude 0.1 and k waves has 0.1·k of the semi-norm of one wave."""
    found = scores(lambda p: wave(p) + 0.1 * np.sin(2 * np.pi * k * p["x"] + 0.3))
    assert found["rel_h1"] == pytest.approx(0.1 * k, rel=0.02)


def burgers(shift):
    task = registry().task("burgers:forward")
    predict = lambda p: task.reference.evaluate({"x": p["x"] - shift, "t": p["t"]})  # noqa: E731
    return task, task.evaluate(Solution(predict), "final")


def test_a_shifted_shock_weighs_more():
    _, e = burgers(1e-3)
    plain, crowded, h1 = (METRICS[m].compute(e) for m in ("rel_l2", "rel_l2_shock", "rel_h1"))
    assert 2 * plain < crowded < h1


def test_the_semi_norm_of_a_shift_is_resolved_within_the_shock():
    """Against ‖u_x(x) − u_x(x − s)‖ / ‖u_x‖ on a grid of a tenth of the shock's width."""
    task, e = burgers(5e-4)
    x, times = np.linspace(-1, 1, 16001), np.linspace(0, 1, 17)
    error = scale = 0.0
    for t in times:
        u, v = (
            task.reference.evaluate({"x": x - s, "t": np.full(x.size, t)})["u"] for s in (0, 5e-4)
        )
        error += np.sum(np.diff(u - v) ** 2)
        scale += np.sum(np.diff(u) ** 2)
    assert METRICS["rel_h1"].compute(e) == pytest.approx(np.sqrt(error / scale), rel=0.03)


def test_half_of_the_points_follow_the_total_variation():
    task, _ = burgers(0.0)
    at = _clustered(task)
    last = at.points["t"] == 1.0
    x = at.points["x"][last]
    assert x.size == 256
    assert (np.diff(x) > 0).all()
    inside = np.abs(x) < 0.02  # the shock: 2% of the length, over half of the total variation
    assert inside.mean() > 0.25
    assert np.histogram(x, 8, (-1, 1))[0].min() > 256 / 8 / 2 - 2
    assert np.sum(1 / at.density[last]) / x.size == pytest.approx(1.0, rel=0.02)  # a quadrature


def test_only_the_end_counts_where_only_the_end_is_asked():
    task = registry().task("advection-density")
    assert np.unique(_clustered(task).points["t"]).tolist() == [1.0]
