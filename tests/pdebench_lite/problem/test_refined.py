"""References by refinement: their bound holds, and they are kept on disk by their inputs."""

import numpy as np
import pytest

from pdebench_lite.problem import refined as module
from pdebench_lite.problem.refined import refined
from pdebench_lite.registry.discovery import registry


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PDEBENCH_CACHE", str(tmp_path))
    return tmp_path


def reference(cells=64, steps=40):
    problem = registry().task("allen-cahn[diffusion=0.05,ic=smooth]").problem
    return refined(problem, "etdrk4", cells, steps, times=12)


def test_the_bound_holds_against_another_method(cache):
    """Central differences on a fine grid, RK4: nothing in common but the right-hand side."""
    from pdebench_lite.problem.carrying import rollout

    problem = registry().task("allen-cahn[diffusion=0.05,ic=smooth]").problem
    rough = reference(32, 20)
    grid = problem.domain.grid(256)
    start = {k: np.asarray(v) for k, v in problem.start(grid.points()).items()}
    times = np.array([0.0, 0.5, 1.0])
    values = rollout(
        problem.schemes()["fd4"], start, {"D": 0.05, "r": 5.0}, times, grid, 0.9
    )["u"]  # fmt: skip
    for i, t in enumerate(times):
        found = rough.evaluate({"x": grid.points()["x"], "t": np.full(256, t)})["u"]
        error = np.sqrt(np.mean((found - values[:, i]) ** 2) / np.mean(values[:, i] ** 2))
        assert error < 2 * rough.bound + 1e-6
    assert rough.bound < 0.1
    assert reference().bound < 0.1 * rough.bound
    assert not rough.certified


def test_it_is_computed_once(cache, monkeypatch):
    first = reference()
    (stored,) = cache.glob("*.npz")

    def fail(*_):
        raise AssertionError("it was computed again")

    monkeypatch.setattr(module, "_compute", fail)
    again = reference()
    points = {"x": np.array([0.3]), "t": np.array([0.7])}
    assert again.evaluate(points)["u"] == first.evaluate(points)["u"]
    stored.write_bytes(b"not an archive")
    with pytest.raises(AssertionError, match="computed again"):
        reference()
