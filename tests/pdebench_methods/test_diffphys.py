"""What `diffphys` is made of: bases, blurs, plans, presets."""

import json
from functools import partial
from importlib import import_module
from math import inf
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem import Axis, Box, Domain, Observation, Periodic
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import Plugin, collect, registry
from pdebench_lite.seeding import generator
from pdebench_lite.testing.attempt import attempt
from pdebench_methods.objectives.diffphys import DiffphysObjective
from pdebench_methods.objectives.diffphys.basis import CellBasis
from pdebench_methods.objectives.diffphys.observing import apply_blur, blur_matrices
from pdebench_methods.objectives.diffphys.stages import BLURS

TOYS = Path(__file__).parents[1] / "toys"

X = Axis("x", -1.0, 1.0, periodic=True)
Y = Axis("y", 0.0, 1.0, periodic=True)


def objective(problem: str, method: str, run: Any = None) -> DiffphysObjective:
    task, (_, config) = registry().task(problem), registry().configured(method)
    run = run or SimpleNamespace(time_left=inf)
    run.config, run.dtype, run.rng = config, "float64", lambda p: generator("m", p)
    return DiffphysObjective(View(task, lambda p: generator("d", p)), run, LoopTools())


class LoopTools:
    """Rollouts in NumPy."""

    def repeat(self, step, state, n):
        for k in range(n):
            state = step(state, k)
        return state

    def frames(self, step, state, n, count):
        return [self.repeat(step, state, n * (i + 1)) for i in range(count)]


class NumpyTools(LoopTools):
    """Jacobians by central differences of a rollout of all perturbed parameters at once."""

    compiles = False

    def flat_objective(self, objective, parameters, data):
        (name,) = parameters

        def residuals(x):
            with np.errstate(all="ignore"):  # a trial too far away is told by its misfit
                return objective.residuals({name: x}, data)

        def linearise(x):
            h = 1e-6 * np.eye(x.size)
            return residuals(x), ((residuals(x + h) - residuals(x - h)) / 2e-6).T

        return SimpleNamespace(residuals=residuals, linearise=linearise)


@pytest.fixture
def toys(monkeypatch):
    """The toys of `tests/toys/` and this method."""
    monkeypatch.syspath_prepend(str(TOYS))
    names = ("pdebench_methods", "pdebench_toys")
    return collect([(Plugin(name, name), partial(import_module, name)) for name in names])


def toy_objective(toys, problem: str, method: str, draw: int = 0) -> DiffphysObjective:
    """An objective of a toy, with NumPy's tools, for one draw of the noise."""
    task, (_, config) = toys.task(problem), toys.configured(method)
    run = SimpleNamespace(
        time_left=inf, config=config, dtype="float64", rng=lambda p: generator("m", p)
    )
    return DiffphysObjective(View(task, lambda p: generator("d", p, draw)), run, NumpyTools())


def conductivity_error(toys, method: str, draw: int) -> tuple[float, dict[str, Any]]:
    """Seek the conductivity of the toy by Gauss–Newton; returns its error and the details."""
    it = toy_objective(toys, "conductivity", method, draw)
    current, memo = it.initial(), {}
    while (stage := it.next_stage(current, memo)) is not None:
        search = it.gauss_newton(current, stage.inputs)
        search.advance(100)
        current = search.parameters()
    found, x = it.solution(current, memo), np.linspace(0.0, 1.0, 256)
    truth = toys.problem("conductivity")._conductivity({"x": x})
    gap = found.unknowns["k"]({"x": x}) - truth
    return float(np.linalg.norm(gap) / np.linalg.norm(truth)), found.details


@pytest.mark.parametrize("draw", [0, *(pytest.param(d, marks=pytest.mark.slow) for d in (1, 2, 3))])
def test_the_weight_of_a_coefficient_field_is_near_the_best_one(toys, draw):
    """Blurred targets have led to weights far too small, with which the error is a third.

    Of the weights 1e-3, 1e-4 and 1e-5 the second errs least, by 1.4 to 2.9%.
    """
    chosen, details = conductivity_error(toys, "diffphys[modes=8]", draw)
    best, _ = conductivity_error(toys, "diffphys[modes=8,weight=1e-4]", draw)
    assert details["weight_by"] == "largest evidence"
    weights = details["sweep"]["weight"]
    assert min(weights) < details["weight"] < max(weights), "the largest evidence is bracketed"
    assert chosen < 1.25 * best < 0.05


@pytest.mark.parametrize("enough", [3e-6, 1.0])
def test_a_descent_raises_a_weight_that_explains_too_much(toys, enough):
    """Morozov's principle: the last weight whose misfit is explained, coming from below."""
    it = toy_objective(toys, "conductivity", "diffphys[modes=4,optimizer=lbfgs]")
    memo, current, tried = {}, it.initial(), []
    it.misfit = lambda parameters: it.noise * (2.0 if memo["weight"] > enough else 0.5)
    while (stage := it.next_stage(current, memo)) is not None:
        tried.append(float(stage.data["weight"]))
    after_blurs = tried[len(BLURS) :]
    best = 1e-6 if enough < 1.0 else 0.1
    assert after_blurs[0] == pytest.approx(1e-9)
    assert after_blurs[-1] == pytest.approx(best)
    assert memo["weight_by"] == "discrepancy: what is left is noise"


def test_a_positive_function_starts_at_its_guess(toys):
    it = toy_objective(toys, "conductivity", "diffphys[modes=4]")
    x = {"x": np.linspace(0.0, 1.0, 7)}
    at_first = it.solution(it.initial(), {}).unknowns["k"](x)
    np.testing.assert_allclose(at_first, 0.03)
    anywhere = {"k": generator("k").normal(size=it.initial()["k"].size)}
    assert np.all(it.solution(anywhere, {}).unknowns["k"](x) > 0.0)


def test_a_zero_snapshot_has_the_unit_of_its_field(toys):
    it = toy_objective(toys, "standing-waves", "diffphys[cells=32,modes=4,steps=8]")
    size = {o.field: float(np.sqrt(np.mean(o.values**2))) for o in it.observations}
    assert size["u"] < 1e-14
    assert dict(zip((o.field for o in it.observations), it.scales, strict=True)) == pytest.approx(
        {"u": (0.01 * size["v"]) ** 2, "v": size["v"] ** 2}
    )


def test_cell_basis_interpolates_and_wraps():
    basis = CellBasis((Y,), 4)
    centres = (np.arange(4) + 0.5) / 4
    np.testing.assert_allclose(basis.matrix({"y": centres}), np.eye(4), atol=1e-14)
    np.testing.assert_allclose(basis.matrix({"y": np.array([0.0])}), [[0.5, 0, 0, 0.5]])


def test_a_blur_on_a_tensor_grid_is_that_of_all_its_points():
    domain = Domain(Box(y=(0, 1), z=(0, 1)), (0, 1), Periodic("y", "z"))
    y, z = (m.ravel() for m in np.meshgrid(np.arange(5) / 5, np.arange(4) / 4, indexing="ij"))
    values, at = generator("blur").normal(size=20), {"t": np.ones(20)}
    tensor = Observation("d", {"y": y, "z": z, **at}, values)
    order = generator("order").permutation(20)
    scattered = Observation("d", {"y": y[order], "z": z[order], **at}, values[order])
    matrices, whole = (blur_matrices(o, domain, 0.2) for o in (tensor, scattered))
    assert [m.shape for m in matrices] == [(5, 5), (4, 4)]
    assert [m.shape for m in whole] == [(20, 20)]
    np.testing.assert_allclose(
        apply_blur(matrices, values)[order], apply_blur(whole, values[order]), atol=1e-13
    )


def test_the_lecture_starts_at_the_loss_of_the_book():
    """0.4024, for a target made by the same solver (0.3829 for the book's hard-coded one)."""
    it = objective("burgers:pbdl", "diffphys[preset=lecture]")
    start, memo = it.initial(), {}
    stage = it.next_stage(start, memo)
    assert (stage.optimizer, stage.steps) == ("gd", 50)
    assert float(it.loss(start, stage.inputs)) == pytest.approx(0.4024, rel=1e-3)
    assert it.next_stage(start, memo) is None


def test_the_lecture_ends_at_the_error_of_the_book():
    """Mean absolute error 0.0466 over the 33 frames, for a target made by the same solver."""
    pytest.importorskip("jax")
    done = attempt(registry(), "burgers:pbdl", "diffphys[preset=lecture]", "jax", 50)
    assert done.metrics["mae"] == pytest.approx(0.0466, rel=0.05)


def test_what_is_given_wins_over_a_preset():
    _, config = registry().configured("diffphys[preset=lecture,iterations=3]")
    assert (config.optimizer, config.learning_rate, config.iterations) == ("gd", 5.0, 3)


def test_cells_at_the_observed_points_need_no_interpolation():
    it = objective("burgers", "diffphys")
    assert it.cells == 3 * 128
    data = it.data(1.0, it.cells, None)
    assert set(np.ravel(data["weights0"])) == {0.0, 1.0}


def test_the_true_state_is_explained_by_the_solvers_error():
    """At the true initial state the misfit is what `level` says, within a factor of three."""
    it = objective("burgers[nu=0.02]", "diffphys[cells=128,scheme=muscl,modes=8]")
    start = it.initial()
    coefficients = np.zeros_like(start["u_initial"])
    basis = it.bases["u_initial"]
    x = np.linspace(-1, 1, 200, endpoint=False)
    coefficients = np.linalg.lstsq(basis.matrix({"x": x}), -np.sin(np.pi * x))[0]
    found = {"u_initial": coefficients}
    level = it.level(found, 128)
    assert level.noise == 0.0
    assert 1 / 9 < it.misfit(found) / level.solver < 9


def test_motions_are_sought_coarse_to_fine():
    it = objective("advection-density[points=64]", "diffphys[cells=64,optimizer=lbfgs]")
    memo, widths = {}, []
    for _ in range(len(BLURS) + 1):
        stage = it.next_stage(it.initial(), memo)
        (row, *_), *_ = stage.data["blur0.averages"]
        widths.append(float(np.sum(row > 0.01 * row.max())))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == 1  # the target itself


def test_the_values_themselves_are_compared_in_arrays_of_the_same_shapes():
    """One compiled function serves blurred targets and, in the end, the targets."""
    it = objective("advection-density[points=64]", "diffphys[cells=64]")
    wide, none = (it.data(1.0, 64, blur) for blur in (0.2, 0.0))
    assert {k: np.shape(v) for k, v in wide.items()} == {k: np.shape(v) for k, v in none.items()}
    parameters = {"u": generator("u").normal(size=it.initial()["u"].size) / 20}
    plain = it.residuals(parameters, it.data(1.0, 64, None))
    np.testing.assert_allclose(np.sort(it.residuals(parameters, none)), np.sort(plain), atol=1e-15)
    assert np.abs(it.residuals(parameters, wide)).max() < 0.5 * np.abs(plain).max()


@pytest.mark.slow
@pytest.mark.parametrize("instance", [10, 15])
def test_bumps_are_not_mistaken_for_each_other(instance):
    """Blurred targets alone lead the higher bump to the place of the lower one."""
    pytest.importorskip("jax")
    problem = f"advection-density[points=64,instance={instance}]"
    done = attempt(registry(), problem, "diffphys[cells=64,modes=8,steps=16]", "jax", 100)
    assert done.metrics["flow_map_error"] < 0.05


def test_a_scheme_with_its_own_grid_takes_no_other():
    method, config = registry().configured("diffphys[cells=64]")
    support = method.supports(registry().task("burgers:pbdl"), config)
    assert not support.ok
    assert "leave out cells" in support.reason


def test_a_few_cells_are_refused():
    with pytest.raises(PdebenchError, match="at least 8"):
        registry().configured("diffphys[cells=5]")


def jax_objective(problem: str, method: str):
    """An objective with JAX's tools."""
    pytest.importorskip("jax")
    from pdebench_jax.diffphys import DiffphysTools

    task, (_, config) = registry().task(problem), registry().configured(method)
    run = SimpleNamespace(
        config=config, dtype="float64", time_left=inf, rng=lambda p: generator("m", p)
    )
    tools = DiffphysTools(run)
    return DiffphysObjective(View(task, lambda p: generator("d", p)), run, tools), tools


def test_the_jacobian_may_be_that_of_a_coarser_grid():
    """The residuals are those of the fine grid, and the coarse Jacobian is nearly theirs."""
    it, tools = jax_objective("burgers[nu=0.05]", "diffphys[modes=32]")
    start = it.initial()
    stage = it.next_stage(start, {})
    assert (it.cells, it.jacobian_cells) == (3 * 128, 128)
    minimiser = it.gauss_newton(start, stage.inputs)
    exact = tools.flat_objective(it, start, stage.inputs)
    x = np.concatenate(list(start.values())) + 0.1
    r, jacobian = minimiser.search._linearise(x)
    fine, other = exact.linearise(x)
    np.testing.assert_allclose(r, fine, atol=1e-12)
    gap = np.linalg.norm(jacobian - other) / np.linalg.norm(other)
    assert 1e-12 < gap < 1e-2


def test_a_jacobian_that_costs_little_is_exact():
    it = objective("burgers[nu=0.05]", "diffphys[modes=3]")
    assert it.jacobian_cells == it.cells == 3 * 128


def test_no_step_is_begun_that_the_time_left_is_too_short_for():
    it, _ = jax_objective("burgers:pbdl", "diffphys[modes=3]")
    start = it.initial()
    minimiser = it.gauss_newton(start, it.next_stage(start, {}).inputs)
    assert minimiser.advance(1)[1] == 1
    it._run.time_left = 0.0
    assert minimiser.advance(1)[1] == 0
    memo = {"stage": 0}
    assert it.next_stage(minimiser.parameters(), memo) is None
    assert memo["ended"] == "budget"


@pytest.mark.parametrize("resumed", [False, True])
@pytest.mark.parametrize(
    ("share", "left", "finer"), [(0.1, 1.9, False), (0.1, 2.1, True), (9.0, 0.5, True)]
)
def test_a_grid_is_refined_where_there_is_time_for_a_search_on_it(share, left, finer, resumed):
    """Twice the second that was spent, where the solver's error is below the noise."""
    run = SimpleNamespace(time_left=left + 1.0)
    it = objective("burgers[noise=0.01]", "diffphys", run)
    memo = {}
    it.next_stage(it.initial(), memo)
    run.time_left = left
    if resumed:  # another process knows of what was spent by the checkpoint alone
        it = objective("burgers[noise=0.01]", "diffphys", SimpleNamespace(time_left=left))
        memo = json.loads(json.dumps(memo))
    ended = SimpleNamespace(
        weight=1e-3, explained=(1.0 + share) * it.noise, needs_refinement=True,
        needs_jacobian=False,
    )  # fmt: skip
    it._search = SimpleNamespace(search=ended, seconds=0.1, out_of_time=False)
    stage = it.next_stage(it.initial(), memo)
    assert (stage.static["cells"] == 9 * 128) is finer


def test_the_weights_that_were_tried_are_told():
    it, _ = jax_objective("burgers:pbdl", "diffphys[modes=3]")
    start, memo = it.initial(), {}
    minimiser = it.gauss_newton(start, it.next_stage(start, memo).inputs)
    minimiser.advance(5)
    sweep = it.solution(minimiser.parameters(), memo).details["sweep"]
    assert sweep["weight"] == sorted(sweep["weight"], reverse=True)
    assert sweep["misfit"] == sorted(sweep["misfit"], reverse=True)
    assert {name: len(values) for name, values in sweep.items()} == dict.fromkeys(
        ("weight", "misfit", "norm", "evidence", "prior"), 5
    )


def test_a_descent_tells_its_weights_and_why_it_kept_the_last():
    for shift, why in (
        (0.0, "discrepancy: what is left is noise"),
        (1.0, "the last to halve the misfit"),
    ):
        it = objective("burgers[nu=0.1,noise=0.1]", "diffphys[cells=32,modes=4,optimizer=lbfgs]")
        start, memo = it.initial(), {}
        it.next_stage(start, memo)
        x = np.linspace(-1, 1, 200, endpoint=False)
        true = np.linalg.lstsq(it.bases["u_initial"].matrix({"x": x}), -np.sin(np.pi * x))[0]
        current = {"u_initial": true + shift * np.eye(true.size)[1]}
        while it.next_stage(current, memo) is not None:
            pass
        told = it.solution(current, memo).details
        assert told["weight_by"] == why
        weights = told["sweep"]["weight"]
        assert weights == [0.1, 0.01][: 1 if shift == 0.0 else 2]
        norm = float(np.sum(current["u_initial"] ** 2))
        assert told["sweep"]["norm"] == pytest.approx([norm] * len(weights))
        assert told["sweep"]["misfit"] == pytest.approx([it.misfit(current)] * len(weights))


def test_singular_values_are_those_of_a_dense_jacobian():
    """Of the rollout in NumPy, by central differences; the first step is from the start."""
    it, _ = jax_objective("burgers[nu=0.1,points=16,noise=0.01]", "diffphys[cells=48,modes=4]")
    start, memo = it.initial(), {}
    minimiser = it.gauss_newton(start, it.next_stage(start, memo).inputs)
    minimiser.advance(1)
    found = it.solution(minimiser.parameters(), memo)
    (o,) = it.observations
    norm = (o.values.size * np.mean(o.values**2)) ** 0.5

    def seen(x):
        return it.observed({"u_initial": x}, it.cells)[0] / norm

    x, h = start["u_initial"], 1e-5
    columns = [(seen(x + h * e) - seen(x - h * e)) / (2 * h) for e in np.eye(x.size)]
    dense = np.linalg.svd(np.column_stack(columns), compute_uv=False)
    np.testing.assert_allclose(
        found.details["spectrum"]["singular_value"], dense, rtol=1e-4, atol=1e-9 * dense[0]
    )
    assert 0 < found.details["determined"] < x.size
    assert found.details["noise"] >= o.noise / norm


def test_a_band_is_stated_once_the_weight_is_chosen_and_where_there_is_noise():
    for problem, stated in (("burgers:pbdl", set()), ("burgers[nu=0.1,noise=0.01]", {"u_initial"})):
        it, _ = jax_objective(problem, "diffphys[modes=3]")
        start, memo = it.initial(), {}
        minimiser = it.gauss_newton(start, it.next_stage(start, memo).inputs)
        minimiser.advance(1)
        assert not it.solution(minimiser.parameters(), memo).deviations, "on the way"
        minimiser.advance(100)
        found = it.solution(minimiser.parameters(), memo)
        assert found.details["weight_by"] != "not chosen: the search was not over"
        assert set(found.deviations) == stated
