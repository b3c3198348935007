"""Optical flow: the derivative of a warp, motions found, and equations recognised."""

import numpy as np
import pytest

from pdebench_classical._warp import Warp
from pdebench_classical.opticalflow import motion_along
from pdebench_lite.problem import Box, Domain, Periodic, Unknown
from pdebench_lite.registry.discovery import registry
from pdebench_methods.search.fourier_prior import FourierPrior


def plane(steps, positive=False):
    """A warp on the unit square: its points, times, and a mapping from coefficients to values."""
    domain = Domain(Box(x=(0.0, 1.0), y=(0.0, 1.0)), (0.0, 1.0), Periodic("x", "y"))
    waves = FourierPrior(domain.space, 2, order=2)

    def image(p):
        return np.exp(np.sin(2 * np.pi * p["x"]) + np.cos(2 * np.pi * (p["y"] - 0.2)))

    sought = [Unknown(n, "coefficient", ("x", "y"), guess=0.2, positive=positive) for n in "uv"]
    warp = Warp(domain, waves, image, steps, sought)
    random = np.random.default_rng(0)
    return warp, waves, random.uniform(size=(2, 60)), random.uniform(0.2, 1.0, 60)


@pytest.mark.parametrize(("steps", "positive"), [(16, False), (32, False), (32, True)])
def test_the_derivative_of_a_warp(steps, positive):
    """Two motions in the plane; the error of the linearisation falls as the square of the step."""
    warp, waves, x, t = plane(steps, positive)
    random = np.random.default_rng(1)
    c, d = 0.1 * random.normal(size=(2, 2, waves.size))
    motion = warp.tabulate(c)
    jacobian = warp.jacobian(motion, warp.path(motion, x, t), t)

    def values(c):
        return warp.values(warp.path(warp.tabulate(c), x, t)[-1])

    slope = (values(c + 1e-5 * d) - values(c - 1e-5 * d)) / 2e-5
    gap = np.abs(jacobian @ d.ravel() - slope).max() / np.abs(slope).max()
    assert gap < 0.5 / steps**2


def test_a_constant_motion_is_a_shift():
    warp, waves, x, t = plane(8)
    c = np.zeros((2, waves.size))
    c[:, 0] = 0.3, -0.2
    path = warp.path(warp.tabulate(c), x, t)
    np.testing.assert_allclose(path[-1], x - t * np.array([[0.3], [-0.2]]), atol=1e-14)


def test_a_positive_motion_starts_at_its_guess_and_stays_positive():
    warp, waves, *_ = plane(8, positive=True)
    assert np.all(warp.tabulate(np.zeros((2, waves.size))) == 0.2)
    assert np.all(warp.tabulate(np.full((2, waves.size), -3.0)) > 0.0)


def test_the_published_motion_is_found(solved):
    _, scores = solved("opticalflow[modes=6,steps=12]", "advection-density[points=64]", *NAMES)
    assert scores["rel_l2_carried"] < 1e-5
    assert scores["flow_map_error"] < 1e-3
    assert scores["misfit"] < 1e-5


@pytest.mark.parametrize("instance", [10, 15])
def test_bumps_are_not_mistaken_for_each_other(solved, instance):
    """Averages of the values alone lead the higher bump to the place of the lower one."""
    problem = f"advection-density[points=64,instance={instance}]"
    _, scores = solved("opticalflow[modes=8,steps=12]", problem, "flow_map_error")
    assert scores["flow_map_error"] < 0.01


def test_noise_is_not_fitted(solved):
    _, scores = solved(
        "opticalflow[modes=6,steps=12]", "advection-density[points=64,noise=0.05]", *NAMES
    )
    assert 0.03 < scores["misfit"] < 0.06
    assert scores["rel_l2_carried"] < 0.05


NAMES = ("rel_l2_carried", "flow_map_error", "misfit")


def test_an_equation_is_recognised_by_what_it_does():
    """The coefficients are matched to the axes by numbers, whatever their names and order."""
    needs = ("d_t", "d_x", "d_y", "p", "q")

    def advection(d):
        return {"": d["d_t"] + d["q"] * d["d_x"] + d["p"] * d["d_y"]}

    assert motion_along(advection, needs, "d", "xy", ("p", "q")) == {"x": "q", "y": "p"}

    def conservation(d):
        return {"": d["d_t"] + d["q"] * d["d_x"] + d["p"] * d["d_y"] + 1e-3 * d["d_x"]}

    assert motion_along(conservation, needs, "d", "xy", ("p", "q")) is None
    assert motion_along(advection, (*needs, "d"), "d", "xy", ("p", "q")) is None
    assert motion_along(advection, needs, "d", "xy", ("p",)) is None


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ("burgers", "does not ask for a steady motion"),
        ("burgers:forward", "does not ask for a steady motion"),
    ],
)
def test_refusals_say_why(problem, reason):
    description, config = registry().configured("opticalflow")
    answer = description.supports(registry().task(problem), config)
    assert not answer.ok
    assert reason in answer.reason
