"""When collocation points are drawn anew, how many, and for how long they are kept."""

from math import inf
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.plugins import registry
from pdebench_lite.seeding import generator
from pdebench_lite.view import View
from pdebench_methods.objectives.pinn import PinnObjective

SMALL = "pinn[width=4,depth=1,candidates=300"


class Tools:
    """Residuals of size one everywhere."""

    propagate = asarray = None

    def evaluate(self, function, parameters, data):
        return np.ones_like(data["residual:x"])


def objective(words, time_left=inf):
    _, config = registry().configured(words)
    rng = lambda purpose="": generator("m", purpose)  # noqa: E731
    run = SimpleNamespace(config=config, rng=rng, time_left=time_left)
    view = View(registry().task("burgers:forward"), lambda purpose: generator("d", purpose))
    return PinnObjective(view, run, Tools()), run


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
