"""Task burgers:pbdl against the published figures and its own definition."""

from math import pi

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_problems.burgers_pbdl import CELLS, DT, FRAMES, NU, OBSERVED


@pytest.fixture(scope="module")
def task():
    return registry().task("burgers:pbdl")


def replica():
    """Diffusion and linear semi-Lagrangian advection by np.interp, written for this test."""
    h = 2.0 / CELLS
    x = -1.0 + h * (np.arange(CELLS) + 0.5)
    u, frames = -np.sin(pi * x), []
    for _ in range(FRAMES):
        frames.append(u)
        u = u + DT * NU * (np.roll(u, 1) - 2 * u + np.roll(u, -1)) / h**2
        u = np.interp(x - DT * u, x, u, period=2.0)
    return x, np.stack(frames, axis=1)


def test_the_truth_is_the_published_solver(task):
    x, frames = replica()
    np.testing.assert_allclose(task.axes("final")["x"], x)
    np.testing.assert_allclose(task.truth("final")["u"], frames, atol=1e-13)


def test_the_first_loss_of_the_book(task):
    """From u = 0 the mean square of the target: 0.4024."""
    (target,) = task.observations(generator("test"))
    assert np.all(target.points["t"] == OBSERVED * DT)
    assert np.mean(target.values**2) == pytest.approx(0.4024, rel=1e-3)


def test_a_found_state_is_carried_by_the_same_solver(task):
    _, frames = replica()

    def nothing(points):
        return {"u": np.zeros(np.shape(points["x"]))}

    def initial(points):
        return -np.sin(pi * np.asarray(points["x"]))

    evaluation = task.evaluate(Solution(nothing, {"u_initial": initial}), "final")
    np.testing.assert_allclose(evaluation.carried.fields["u"], frames, atol=1e-12)


def test_labels_are_cells_and_frames(task):
    _, frames = replica()
    (labels,) = task.labels(generator("test"), 50)
    cell = np.rint((labels.points["x"] + 1) / (2 / CELLS) - 0.5).astype(int)
    frame = np.rint(labels.points["t"] / DT).astype(int)
    np.testing.assert_allclose(labels.values, frames[cell, frame], atol=1e-12)


def test_no_derivatives_are_taken_of_cells(task):
    names = {metric.name for metric in registry().metrics_for(task)}
    assert {"mae", "initial_rel_l2", "rel_l2_carried"} <= names
    assert not names & {"rel_h1", "rel_l2_shock", "residual_rms", "shock_position_error"}


def test_the_inverse_crime_is_named(task):
    assert "inverse crime" in task.summary
    assert "inverse crime" in task.reference.summary


def test_its_equation_cannot_be_changed():
    with pytest.raises(PdebenchError, match="leave out: nu"):
        registry().task("burgers:pbdl[nu=0.01]")
