"""When collocation points are redrawn, how many, where, and for how long they are kept."""

from math import inf
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import chisquare

from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.objectives.pinn import PinnObjective

SMALL = "pinn[width=4,depth=1,candidates=300"


class Tools:
    """Residuals of size one everywhere."""

    backend, propagate, activate, asarray = "numpy", None, None, None

    def evaluate(self, function, parameters, data):
        return np.ones_like(data["residual:x"])


class HostTools(Tools):
    """Residuals of size one; all else as it is."""

    def evaluate(self, function, parameters, data):
        if "residual:x" in data:
            return super().evaluate(function, parameters, data)
        return function(parameters, data)


class PeakTools(Tools):
    """Residuals that are large in one place, where the points are to gather."""

    def evaluate(self, function, parameters, data):
        return peak(data["residual:x"], data["residual:t"])


def peak(x, t):
    return 3e-3 * np.exp(-200 * (x - 0.3) ** 2 - 50 * (t - 0.4) ** 2)


def objective(words, time_left=inf, tools=Tools, problem="burgers:forward"):
    _, config = registry().configured(words)
    rng = lambda purpose="": generator("m", purpose)  # noqa: E731
    run = SimpleNamespace(config=config, rng=rng, time_left=time_left)
    view = View(registry().task(problem), lambda purpose: generator("d", purpose))
    return PinnObjective(view, run, tools()), run


def stages(words, count, pace=0.0, time_left=inf):
    """Return steps and number of points of the first stages, in a run of that pace."""
    found, run = objective(words, time_left)
    current, memo, out = found.initial(), {}, []
    for i in range(count):
        moved = {name: values + i for name, values in current.items()}
        stage = found.next_stage(moved, memo)
        out.append((stage.steps, stage.data["residual:x"].size))
        assert stage.costs == {"residual_points": out[-1][1]}
        if stage.steps is None:
            break
        run.time_left -= pace * stage.steps
    return out


def test_points_are_drawn_often_at_first():
    assert stages(f"{SMALL},points=50,redraw=100]", 12) == [(20, 50)] * 10 + [(100, 50)] * 2


def test_points_are_doubled_one_doubling_at_a_time():
    found = stages(f"{SMALL},points=50,redraw=100,doubling=40,most_points=170]", 9)
    assert [n for _, n in found] == [50, 50, 100, 100, 170, 170, 170, 170, 170]
    late = stages(f"{SMALL},points=50,redraw=100,doubling=10,most_points=300]", 5)
    assert [n for _, n in late] == [50, 100, 200, 300, 300]


def test_no_doubling_shortly_before_the_end():
    words = f"{SMALL},points=50,redraw=100,doubling=20,most_points=300]"
    assert [n for _, n in stages(words, 3, time_left=299.0)] == [50, 50, 50]
    assert [n for _, n in stages(words, 3, time_left=301.0)] == [50, 100, 200]


@pytest.mark.parametrize("pace", [0.01, 0.1])
def test_the_last_points_are_kept_for_more_than_one_stage(pace):
    whole = 640 * pace  # the time of so many steps
    found = stages(f"{SMALL},points=50,redraw=100]", 30, pace, whole)
    assert [steps for steps, _ in found] == [20] * 10 + [100, 100, 100, None]
    done = sum(steps for steps, _ in found[:-1])
    assert 100 <= 640 - done < 200


def test_the_last_of_the_early_stages_counts_its_own_steps():
    found = stages(f"{SMALL},points=50,redraw=100]", 30, 0.1, 7.0)
    assert [steps for steps, _ in found] == [20, 20, None]


def redrawn(words):
    """Return x, t and weights of the points that are drawn by the residual of `PeakTools`."""
    found, _ = objective(words, tools=PeakTools)
    first, memo = found.initial(), {}
    found.next_stage(first, memo)
    data = found.next_stage({name: values + 1 for name, values in first.items()}, memo).data
    return data["residual:x"], data["residual:t"], data["residual/root"] ** 2


CELLS, FINER = 5, 200
MIDDLE = (np.arange(CELLS * FINER) + 0.5) / (CELLS * FINER)


def shares(density):
    """Return the parts of a density, given at finer points, that 5 × 5 cells hold; shape (25,)."""
    blocks = density.reshape(CELLS, FINER, CELLS, FINER).sum(axis=(1, 3))
    return (blocks / blocks.sum()).ravel()


def test_new_points_have_the_published_density():
    """|r|ᵏ/mean |r|ᵏ + c, Wu et al. 2023, eq. 2, with k = c = 1; no other k and c would pass."""
    x, t, weights = redrawn("pinn[width=4,depth=1,points=10000,candidates=100000,redraw=100]")
    cell = CELLS * (CELLS * (x + 1) / 2).astype(int) + (CELLS * t).astype(int)
    counts = np.bincount(cell, minlength=CELLS**2)
    r = peak(2 * MIDDLE[:, None] - 1, MIDDLE)

    def likelihood(k, c):
        return chisquare(counts, x.size * shares(r**k / np.mean(r**k) + c)).pvalue

    assert likelihood(1, 1) > 0.05
    assert max(likelihood(*kc) for kc in ((0, 1), (0.5, 1), (2, 1), (1, 0.8), (1, 1.25))) < 1e-3
    assert np.mean(weights) == pytest.approx(1.0)
    even = weights * np.sqrt(peak(x, t) / np.mean(r) + 1)  # each counts by density^(−1/2)
    np.testing.assert_allclose(even, np.mean(even), rtol=0.05)


NOISY = "burgers:viscosity[sensors=10,times=2]"


def weights_of(words, misses, problem=NOISY):
    """Return α₀ of the observation in the stages before which the network misses it by so much.

    Args:
        words: the method.
        misses: misfits in units of the noise, one for each redrawing.
        problem: its field is u = 0 for a network whose last layer is zero.
    """
    found, _ = objective(words, tools=HostTools, problem=problem)
    ((i, field, noise),) = found._noise
    data, key = found._data, f"observed{i}/{field}"
    zero = {name: 0.0 * values for name, values in found.initial().items()}
    memo, weights = {}, []
    for k, miss in enumerate([0.0, *misses]):
        data[f"observed{i}={field}"] = np.full(20, miss * noise)
        zero["fields.0.bias"] = np.full(4, float(k))  # or nothing would have moved
        stage = found.next_stage(zero, memo)
        weights.append(found.settings.alpha0 * float(data[key] / stage.data[key]) ** 2)
    return weights


def test_the_weight_of_noisy_values_falls_while_their_noise_is_fitted():
    misses = [1.1, 0.9, 0.9, 1.1, 0.9, 0.9, 0.9, 0.9, 0.9]
    found = weights_of(f"{SMALL},points=50,redraw=100]", misses)
    assert found == pytest.approx([100, 100, 10, 1, 10, 1, 0.1, 0.01, 0.01, 0.01])
    longer = weights_of(f"{SMALL},points=50,redraw=100,least_alpha0=100]", [0.9, 0.9])
    assert longer == pytest.approx([100, 100, 100])


def test_the_weight_of_values_without_noise_stays():
    found, _ = objective(f"{SMALL},points=50,redraw=100]", tools=HostTools, problem="burgers")
    current, memo = found.initial(), {}
    for i in range(3):
        stage = found.next_stage({name: v + i for name, v in current.items()}, memo)
        assert stage.data["observed0/u"] == found._data["observed0/u"]
