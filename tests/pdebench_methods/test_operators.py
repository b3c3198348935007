"""Methods that learn a solution operator: networks, both backends alike, coarse solvers."""

import importlib
import importlib.util
import re
from dataclasses import replace
from functools import cache
from math import inf
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_lite.testing import attempt
from pdebench_methods.convolutions import Stack, UNet, convolve, silu
from pdebench_methods.objectives.solver_in_the_loop import CorrectionObjective
from pdebench_methods.training import split

FAMILY = "burgers:family[cells=32,frames=2,train=24,validation=2,test=4]"
LOOP = "diffphys[mode=solver-in-the-loop,cells=16,corrections=2"
METHODS = ["cnn[levels=2,channels=4]", "mlp[width=4,depth=1]", f"{LOOP},channels=4]"]


@pytest.fixture(scope="module")
def known():
    return registry()


def run(known, backend, method, steps, problem=FAMILY, seed=0):
    pytest.importorskip(backend)
    importlib.import_module(known.backend(backend).runtime).prepare("cpu", "float64")
    return attempt(known, problem, method, backend, steps, seed)


# ---- networks --------------------------------------------------------------------------------


def test_a_layer_is_a_periodic_convolution():
    rng = np.random.default_rng(0)
    weight, bias, x = rng.random((2, 3 * 5)), rng.random(2), rng.random((3, 4, 8))
    found = convolve({"a.weight": weight, "a.bias": bias}, "a", x)
    by_hand = np.zeros((2, 4, 8))
    for out in range(2):
        for cell in range(8):
            taps = [x[:, :, (cell + j) % 8] for j in range(-2, 3)]  # (3, 4) each
            by_hand[out, :, cell] = (
                sum(weight[out, 3 * j : 3 * j + 3] @ tap for j, tap in enumerate(taps)) + bias[out]
            )
    np.testing.assert_allclose(found, by_hand, rtol=1e-13)


def test_silu_does_not_overflow():
    x = np.array([-1e3, -1.0, 0.0, 2.0, 1e3])
    with np.errstate(all="raise", under="ignore"):
        found = silu(x)
    np.testing.assert_allclose(found[1:4], x[1:4] / (1 + np.exp(-x[1:4])), rtol=1e-13)
    assert found[[0, 4]].tolist() == [0.0, 1e3]


@pytest.mark.parametrize(
    ("network", "shift"), [(UNet(2, 3, 4, 2, 3), 4), (Stack("s", 2, 3, 4, 2, 5), 1)]
)
def test_networks_commute_with_shifts(network, shift):
    rng = np.random.default_rng(0)
    parameters, x = network.initial(rng), rng.standard_normal((2, 3, 16))
    there = network(parameters, np.roll(x, shift, axis=-1))
    assert there.shape == (3, 3, 16)
    np.testing.assert_allclose(there, np.roll(network(parameters, x), shift, -1), atol=1e-12)


def test_instances_do_not_meet():
    rng = np.random.default_rng(0)
    network, x = UNet(2, 1, 4, 2, 3), rng.standard_normal((2, 3, 16))
    parameters = network.initial(rng)
    alone = network(parameters, x[:, 1:2])
    np.testing.assert_allclose(network(parameters, x)[:, 1:2], alone, atol=1e-12)


# ---- training --------------------------------------------------------------------------------


@pytest.mark.slow  # compiles
@pytest.mark.parametrize("method", METHODS)
def test_both_backends_train_alike(known, method):
    one, other = (run(known, backend, method, 5) for backend in ("torch", "jax"))
    assert one.metrics["rel_l2"] == pytest.approx(other.metrics["rel_l2"], rel=1e-9)
    assert one.solution.parameters == other.solution.parameters > 0
    for name, values in one.solution.weights.items():
        np.testing.assert_allclose(other.solution.weights[name], values, rtol=1e-7, atol=1e-9)


@pytest.mark.slow  # compiles
@pytest.mark.parametrize("method", METHODS)
def test_training_helps(known, backend, method):
    last = 5 if method.startswith("mlp") else 40  # it soon knows so few instances by heart
    before, after = (run(known, backend, method, steps) for steps in (1, last))
    assert after.metrics["rel_l2"] < 0.98 * before.metrics["rel_l2"]
    assert after.sees["labels"] == 24
    assert after.steps <= last


@pytest.mark.slow  # compiles
def test_fewer_instances_are_seen_if_asked(known, backend):
    done = run(known, backend, "cnn[instances=3,levels=1,channels=2]", 2)
    assert done.sees == {"labels": 3}


# ---- a solver in the loop ----------------------------------------------------------------------


def test_without_a_network_it_is_the_classical_solver(known, backend):
    """On the cells of the states nothing is interpolated, and the errors of MUSCL agree."""
    problem = "burgers:family[cells=32,train=2,validation=2,test=4]"
    alone = run(known, backend, "diffphys[mode=solver-in-the-loop,channels=0,cells=32]", 1, problem)
    muscl = attempt(known, problem, "muscl[cells=32]", "numpy", 1)
    assert alone.steps == muscl.steps == 0
    assert alone.sees == muscl.sees == {"step": True}
    for name in ("rel_l2", "rel_l2_viscosity"):
        assert alone.metrics[name] == pytest.approx(muscl.metrics[name], rel=0.1)


@cache
def correction(backend, method=f"{LOOP},channels=4]", kind=View):
    """Return the objective of a correction, and the tools it works with; made but once."""
    known, tools_of = registry(), {"torch": "TorchTools", "jax": "JaxTools"}
    training = importlib.import_module(f"pdebench_{backend}._training")
    run = SimpleNamespace(
        config=known.configured(method)[1], dtype="float64", device="cpu", steps=0, max_steps=4,
        time_left=inf, rng=lambda purpose: generator("m", purpose), count=lambda **amounts: None,
    )  # fmt: skip
    tools = getattr(training, tools_of[backend])(run)
    view = kind(known.task(FAMILY), lambda purpose: generator("d", purpose))
    return CorrectionObjective(view, run, tools), tools


def test_training_begins_at_the_coarse_solver(backend):
    """The networks begin as zero: the first answer is the coarse solver's, to the last bit."""
    objective, tools = correction(backend)
    data, start = objective.batch(np.arange(3)), objective.initial()
    coarse = tools.evaluate(objective.answer, {}, *split(data))
    np.testing.assert_array_equal(tools.evaluate(objective.answer, start, *split(data)), coarse)
    moved = {name: values + 0.1 for name, values in start.items()}
    assert np.max(np.abs(tools.evaluate(objective.answer, moved, *split(data)) - coarse)) > 1e-3


class Drifting(View):
    """A view whose labels do not keep the means of their fields."""

    def labels(self, n):
        return tuple(
            replace(label, values=label.values + label.points["t"]) if label.field == "u" else label
            for label in super().labels(n)
        )


@pytest.mark.parametrize(("kind", "kept"), [(View, True), (Drifting, False)])
def test_what_the_labels_keep_is_kept(backend, kind, kept):
    objective, tools = correction(backend, kind=kind)
    data = objective.batch(np.arange(3))
    rng, start = np.random.default_rng(0), objective.initial()
    moved = {
        name: values + 0.3 * rng.standard_normal(values.shape) if "correct" in name else values
        for name, values in start.items()
    }
    answer = tools.evaluate(objective.answer, moved, *split(data))
    coarse = tools.evaluate(objective.answer, {}, *split(data))
    assert np.max(np.abs(answer - coarse)) > 1e-3
    change = np.abs(np.mean(answer, axis=-1) - np.mean(data["start"], axis=-1))
    assert (np.max(change) < 1e-12) == kept


def test_precomputed_states_lead_from_one_to_the_next(backend):
    """The coarse solver has come most of the way, and what is left to learn keeps the means."""
    objective, _ = correction(backend)
    stage = objective.next_stage({}, {})
    before, after = stage.data["before"], stage.data["after"]
    assert before.shape == after.shape == (2, 1, 16, 16)  # corrections, fields, batch, cells
    start = stage.data["start"].reshape(1, 16, 16, 2).mean(axis=-1)
    gap = np.abs(before - after).max(axis=(1, 2, 3))
    moved = np.abs(after - np.stack([start, after[0]])).max(axis=(1, 2, 3))
    assert np.all(gap < 0.3 * moved)
    assert np.all(gap > 1e-4)
    np.testing.assert_allclose(before.mean(axis=-1), after.mean(axis=-1), atol=1e-12)


@pytest.mark.parametrize("setting", ["precomputed=0", "cells=32"])
def test_training_through_the_rollout_alone(backend, setting):
    """By choice, or where the coarse cells are as fine as those of the labels."""
    method = f"diffphys[mode=solver-in-the-loop,corrections=2,channels=2,{setting}]"
    objective, _ = correction(backend, method)
    stage = objective.next_stage({}, {})
    assert "before" not in stage.data
    assert stage.rate == 1.0


def test_precomputed_states_come_first(backend, monkeypatch):
    objective, _ = correction(backend)
    memo, kinds, kept = {}, [], []
    for step in range(4):
        monkeypatch.setattr(objective._run, "steps", step)
        stage = objective.next_stage({}, memo)
        kinds.append("before" in stage.data)
        kept.append(stage.keep)
    assert kinds == [True, True, False, False]
    assert kept == [False, True, False, True]


@pytest.mark.parametrize(
    ("scheme", "gain"), [("muscl", 2.0), ("etdrk4", 3.0), ("semilagrangian", 1.2)]
)
def test_marched_families_converge(known, scheme, gain):
    """Twice the cells: `gain` times less error; shocks and a first-order scheme set the pace."""
    problem = "burgers:family[cells=64,frames=2,train=2,validation=2,test=4]"
    errors = [
        attempt(known, problem, f"{scheme}[cells={cells}]", "numpy", 1).metrics["rel_l2"]
        for cells in (32, 64, 128)
    ]
    assert errors[0] > gain * errors[1] > gain**2 * errors[2]


def test_marching_does_not_depend_on_its_neighbours(known):
    """Instances are marched side by side; in the same steps they answer as they do alone."""
    task = known.task(FAMILY)
    solution = attempt(known, FAMILY, "etdrk4[cells=64,steps=200]", "numpy", 1).solution
    query = task.ensemble("test").query()
    one = {k: v[2:3] if k in ("u", "nu") else v for k, v in query.items()}
    np.testing.assert_allclose(
        solution.predict(one)["u"][0], solution.predict(query)["u"][2], atol=1e-12
    )


# ---- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "problem", "words"),
    [
        ("cnn", "burgers", "offers no family"),
        ("mlp", "pdebench-file", "no labelled fields"),
        ("diffphys", "burgers:family", "use diffphys.mode=solver-in-the-loop"),
        ("diffphys[mode=solver-in-the-loop]", "burgers", "offers no family"),
        ("diffphys[mode=solver-in-the-loop,scheme=x]", "burgers:family", "no scheme 'x'"),
        ("etdrk4", "pdebench-file", "no scheme 'etdrk4'"),
    ],
)
def test_unsupported_for_a_reason(known, method, problem, words):
    described, config = known.configured(method)
    answer = described.supports(known.task(problem), config)
    assert not answer.ok
    assert re.search(words, answer.reason), answer.reason


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("cnn[levels=6]", "need a multiple of 64 cells"),
        ("diffphys[mode=solver-in-the-loop,cells=12]", "do not divide the 32 cells"),
    ],
)
def test_grids_that_do_not_fit_are_refused(known, backend, method, words):
    with pytest.raises(UnsupportedError, match=words):
        run(known, backend, method, 1)


def test_an_even_kernel_is_refused(known):
    with pytest.raises(PdebenchError, match="give 3 or 5"):
        known.configured("cnn[kernel=4]")


def test_fno_learns_where_its_package_is(known):
    pytest.importorskip("neuralop")
    one, other = (run(known, "torch", "fno[modes=8,channels=4,layers=2]", n) for n in (1, 30))
    assert other.metrics["rel_l2"] < 0.95 * one.metrics["rel_l2"]


def test_fno_says_what_it_lacks(known, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n == "neuralop" else found(n, *a)
    )
    described, config = known.configured("fno")
    answer = described.supports(known.task("burgers:family"), config)
    assert not answer.ok
    assert 'pip install "pdebench-lite[operators]"' in answer.reason
