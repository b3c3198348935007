"""The family of Burgers' equation: how its sets are drawn, and that they are solved."""

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_problems.burgers_family import LAWS, Law

SMALL = "burgers:family[cells=64,train=4,validation=2,test=6]"


@pytest.fixture(scope="module")
def task():
    return registry().task(SMALL)


@pytest.mark.parametrize("name", ["", *LAWS])
def test_instances_follow_their_law(name):
    law = LAWS.get(name, Law())
    rng = generator("test", name)
    sizes, nus, means = [], [], []
    for _ in range(200):
        exact = law.draw(rng)
        waves = np.array([exact.sine, exact.cosine])
        sizes.append(np.sqrt(np.sum(waves**2) / 2))
        nus.append(exact.nu)
        means.append(exact.mean)
        assert not waves[:, : law.modes[0] - 1].any()
        assert waves.shape[1] == law.modes[1]
    for drawn, (low, high) in ((sizes, law.size), (nus, law.nu), (means, (-0.5, 0.5))):
        assert low <= min(drawn) < low + 0.05 * (high - low)
        assert high >= max(drawn) > high - 0.05 * (high - low)


def test_shifted_sets_lie_outside_of_training():
    law = Law()
    assert LAWS["amplitude"].size[0] >= law.size[1]
    assert LAWS["viscosity"].nu[1] <= law.nu[0]
    assert LAWS["frequency"].modes[1] > law.modes[1]


@pytest.mark.parametrize("name", ["test", *LAWS])
def test_the_truth_is_what_a_fine_solver_finds(task, name):
    """ETDRK4 on 1024 cells, from the same states, agrees with Cole and Hopf."""
    drawn = task.ensemble(name)
    grid = task.problem.domain.grid(1024)
    start = [exact.initial(grid.centres("x")) for exact in task._exact(name, drawn.size)]
    state, known = {"u": np.stack(start)}, {"nu": drawn.coefficients["nu"][:, None]}
    step = task.problem.schemes()["etdrk4"].step
    for k in range(600):
        state = step(state, known, k / 600, 1 / 600, grid)
    waves = np.fft.rfft(state["u"])
    x = drawn.axes["x"] - grid.centres("x")[0]
    phases = np.exp(1j * np.pi * np.outer(np.arange(513), x))
    found = (waves @ (phases * np.where(np.arange(513) == 0, 1, 2)[:, None])).real / 1024
    error = np.linalg.norm(found - drawn.later()["u"][..., 0])
    assert error < 2e-6 * np.linalg.norm(found)


def test_the_bound_is_small_and_positive(task):
    assert 0 < task.reference_bound < 1e-12


def test_the_training_set_follows_the_data_stream(task):
    one, same, other = (task.draw("train", 3, generator("test", i)) for i in (0, 0, 1))
    np.testing.assert_array_equal(one.fields["u"], same.fields["u"])
    assert not np.array_equal(one.fields["u"], other.fields["u"])


def test_what_it_draws_itself_cannot_be_given():
    with pytest.raises(PdebenchError, match="leave out: ic"):
        registry().task("burgers:family[ic=random]")
    with pytest.raises(PdebenchError, match="leave out: nu"):
        registry().task("burgers:family[nu=0.1]")
    task = registry().task("burgers:family[horizon=0.5]")
    assert task.axes["t"].tolist() == [0.0, 0.5]
    assert registry().task(task.label).settings == task.settings
