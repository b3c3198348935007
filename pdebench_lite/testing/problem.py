"""ProblemContract: the three faces of a problem agree with each other, on every backend."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import ceil, isfinite, log2
from typing import Any, ClassVar

import numpy as np
import pytest

from pdebench_lite.errors import NotGivenError, PdebenchError, UnsupportedError
from pdebench_lite.metrics import relative_l2
from pdebench_lite.numerics import Grid, jets
from pdebench_lite.problem import (
    Arrays,
    Condition,
    Domain,
    Problem,
    Reference,
    Scheme,
    Stationary,
    Task,
    split_derivative,
)
from pdebench_lite.problem.carrying import rollout
from pdebench_lite.problem.geometry import Surface
from pdebench_lite.problem.view import View
from pdebench_lite.problem.volumes import ORDER, FiniteVolumes
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import Selector, parse_selector
from pdebench_lite.tasks import FieldTask
from pdebench_lite.testing._derivatives import named_derivatives
from pdebench_lite.testing._libraries import LIBRARIES, Library, library
from pdebench_lite.testing.attempt import true_solution

_WIDTHS = (0.1, 0.03, 0.01, 0.003, 0.001)  # of an axis: the best stencil is not known beforehand
_GIFTS = ("initial_state", "ansatz", "embedding", "boundary", "coefficients")


class ProblemDescriptionContract:
    """What every problem says of itself, whatever its faces.

    A selector that names no task stands for all tasks.

    Attributes:
        selector: the problem, such as `"burgers[nu=0.1]"`.
    """

    selector: str

    @pytest.fixture(scope="class")
    @classmethod
    def known(cls) -> Registry:
        """Return the registry in which names are looked up; override it for toys."""
        return registry()

    @pytest.fixture(scope="class")
    @classmethod
    def tasks(cls, known: Registry) -> list[Task]:
        """Return the task that the selector names, or all of the problem's."""
        chosen = parse_selector(cls.selector)
        if chosen.task:
            return [known.task(chosen)]
        tasks = []
        for task in known.tasks_of(known.problem(chosen.name)).values():
            with suppress(PdebenchError):  # a task may fix what the selector sets
                tasks.append(known.task(Selector(chosen.name, task.name, chosen.values)))
        assert tasks, f"no task of {cls.selector} accepts its parameters"
        return tasks

    @pytest.fixture(scope="class")
    @classmethod
    def problem(cls, tasks: list[Task]) -> Problem:
        """Return the problem."""
        return tasks[0].problem

    def test_metadata(self, problem: Problem) -> None:
        """Names, summaries, citation; fields and derivatives are spelled as the views read them."""
        assert re.fullmatch(r"[a-z][a-z0-9-]*", problem.name), f"bad name {problem.name!r}"
        assert problem.summary, "no summary"
        assert re.search(r"@\w+\{", problem.citation), "the citation is not a BibTeX entry"
        assert problem.field_names, "no fields"
        bases = {*problem.field_names, *problem.coefficients}
        assert not any("_" in name for name in bases), f"underscore in one of {sorted(bases)}"
        assert set(problem.units) <= bases, f"units of strangers: {sorted(problem.units)}"
        for name in problem.needs:
            base, suffix = split_derivative(name)
            assert base in bases, f"{name} of needs: no field or coefficient '{base}'"
            assert set(suffix) <= set(problem.domain.names), f"{name} of needs: no such axis"
        for name, axes in problem.coefficients.items():
            assert set(axes) <= set(problem.domain.names), f"{name} depends on {axes}"

    def test_parameters(self, tasks: list[Task]) -> None:
        """Parameters have valid defaults and are plain Python values, each with a description."""
        for task in tasks:
            for model in (task.problem.Parameters, task.Parameters):
                model.model_validate(model().model_dump())
                for name, field in model.model_fields.items():
                    assert field.description, f"the parameter {name} has no description"
            assert json.loads(json.dumps(task.settings)) == task.settings
            for name, value in task.settings.items():
                assert type(value) in (bool, int, float, str, list, type(None)), f"{name}={value!r}"

    def test_tasks(self, known: Registry, tasks: list[Task]) -> None:
        """Every task says what it asks and is ranked by metrics that exist."""
        names = [task.name for task in tasks]
        assert len(set(names)) == len(names), f"two tasks of one name: {names}"
        for task in tasks:
            assert task.summary, f"task {task.name} has no summary"
            assert task.faces <= {"data", "equation", "solver", "expression"}
            assert task.gives <= set(_GIFTS), f"{task.name} gives {sorted(task.gives)}"
            assert task.ranked, f"task {task.name} ranks by nothing"
            for name in (*task.ranked, *task.reported):
                known.metric(name)
            found = {unknown.name for unknown in task.unknowns}
            assert len(found) == len(task.unknowns), "two unknowns of one name"


class ProblemContract(ProblemDescriptionContract):
    """What every problem owes. A selector that names no task stands for all tasks.

    Attributes:
        selector: the problem, such as `"burgers[nu=0.1]"`; choose an instance that is smooth
            enough for `cells`.
        residual_tolerance: of the residual of the reference, relative to the residual's terms.
        cells: grids on which the schemes are refined.
        span: the schemes run for this fraction of the time axis.
        order: least observed order of a scheme, as a fraction of the order that it states.
        floor: relative error below which a scheme need not converge further.
        agreement: largest relative difference between backends, and between batched and single.
        score: what the true solution may score under the ranked metrics of a task.
    """

    selector: str
    residual_tolerance: ClassVar[float] = 1e-6
    cells: ClassVar[tuple[int, ...]] = (64, 128, 256)
    span: ClassVar[float] = 0.2
    order: ClassVar[float] = 0.7
    floor: ClassVar[float] = 1e-8
    agreement: ClassVar[float] = 1e-12
    score: ClassVar[float] = 1e-3

    @pytest.fixture(scope="class")
    @classmethod
    def reference(cls, problem: Problem) -> Reference:
        """Return the reference of the problem."""
        return problem.truth()

    @pytest.fixture(params=LIBRARIES)
    def lib(self, request: pytest.FixtureRequest) -> Iterator[Library]:
        """Return one array library after the other."""
        with library(request.param) as found:
            yield found

    # ---- the truth ---------------------------------------------------------------------------

    def test_reference_is_certified(self, problem: Problem, reference: Reference) -> None:
        """The reference has a positive bound, and is float64 for every field and coefficient."""
        assert isfinite(reference.bound), reference.bound
        assert reference.bound > 0, "no reference is exact to the last bit; give its rounding error"
        assert reference.summary, "the reference does not say how it was computed"
        values = reference.evaluate(_inside(problem.domain, 7))
        assert set(values) >= {*problem.field_names, *problem.coefficients}
        for name, value in values.items():
            assert value.shape == (7,), f"{name} has the shape {value.shape} at 7 points"
            assert value.dtype == np.float64, f"{name} is {value.dtype}"

    def test_reference_satisfies_the_equation(self, problem: Problem, reference: Reference) -> None:
        """Derivatives of the reference, by small stencils, annihilate the residual."""
        if not problem.needs:
            pytest.skip("the problem states no residual")
        evaluate, points = reference.evaluate, _inside(problem.domain, 24)
        best = min(
            _relative_residual(
                problem, named_derivatives(evaluate, problem.domain, points, problem.needs, width)
            )
            for width in _WIDTHS
        )
        assert best <= self.residual_tolerance, f"relative residual {best:.2g} of the reference"

    def test_reference_meets_the_conditions(self, problem: Problem, reference: Reference) -> None:
        """The reference is periodic on periodic axes and meets the conditions on the others."""
        evaluate, domain = reference.evaluate, problem.domain
        points = _inside(domain, 24)
        for axis in domain.space:
            if axis.periodic:
                ends = [
                    evaluate({**points, axis.name: np.full(24, end)})
                    for end in (axis.lower, axis.upper)
                ]
                gap = max(
                    float(np.max(np.abs(ends[1][f] - ends[0][f]))) for f in problem.field_names
                )
                assert gap <= 1e-9, f"the reference is not periodic in {axis.name}: gap {gap:.2g}"
        for part in domain.parts:
            surface = domain.spread_on(part, generator("contract", part), 24)
            for field in problem.field_names:
                condition = domain.condition(part, field)
                if condition is None:
                    continue
                needs = condition.needs(field, domain.geometry.names)
                gap = min(
                    _condition_gap(condition, field, needs, evaluate, domain, surface, width)
                    for width in _WIDTHS
                )
                assert gap <= self.residual_tolerance, f"{field}: residual {gap:.2g} on {part}"

    def test_reference_starts_at_the_initial_state(
        self, problem: Problem, reference: Reference
    ) -> None:
        """At the start of time the reference is `initial_state`."""
        start = _start(problem, _space(_inside(problem.domain, 64), problem.domain))
        time = problem.domain.time
        assert time is not None
        points = {**_inside(problem.domain, 64), time.name: np.full(64, time.lower)}
        gap = relative_l2(start, reference.evaluate(points))
        assert gap <= 10 * reference.bound + 1e-10, f"relative gap {gap:.2g} at the start"

    def test_coefficients_are_the_reference_s(self, problem: Problem, reference: Reference) -> None:
        """Coefficients are Python floats or functions, and the reference returns the same."""
        values = problem.coefficient_values()
        assert set(values) == set(problem.coefficients)
        points = _inside(problem.domain, 16)
        truth = reference.evaluate(points)
        for name, value in values.items():
            assert callable(value) or type(value) is float, f"{name} is a {type(value).__name__}"
            assert callable(value) == bool(problem.coefficients[name]), f"axes of {name}"
            at = {axis: points[axis] for axis in problem.coefficients[name]}
            np.testing.assert_allclose(value(at) if callable(value) else value, truth[name], 1e-12)

    def test_carrying_the_truth_returns_it(self, tasks: list[Task]) -> None:
        """Carried by the certified solver, the true unknowns give the reference within bounds."""
        carried_any = False
        for task in tasks:
            if not isinstance(task, FieldTask) or not task.unknowns:
                continue
            axes, tolerance = task.axes("final"), task.carry_tolerance["final"]
            carried = task.problem.carry(true_solution(task).unknowns, axes, tolerance)
            if carried is None:
                continue
            carried_any = True
            error = relative_l2(carried.fields, task.truth("final"))
            bound = carried.bound + task.reference_bound
            assert error <= 2 * bound, f"{task.label}: error {error:.2g}, stated bound {bound:.2g}"
        if not carried_any:
            pytest.skip("no task carries unknowns")

    def test_the_truth_scores_best(self, known: Registry, tasks: list[Task]) -> None:
        """The true solution scores about zero under all ranked metrics, and can be stored."""
        for task in tasks:
            if not isinstance(task, FieldTask):
                continue
            evaluation = task.evaluate(true_solution(task), "final", _observe(task))
            for metric in (known.metric(name) for name in task.ranked):
                value = metric.compute(evaluation)
                if value is None:  # nothing to say, as where a problem carries no unknowns
                    assert metric.name != task.ranked[0], f"the headline {metric.name} is None"
                    continue
                assert abs(value) <= self.score, (
                    f"{task.label}: the truth has {metric.name}={value}"
                )
            for name, (dims, values, _) in evaluation.arrays().items():
                assert len(dims) == values.ndim, f"{name}: {dims} for the shape {values.shape}"

    # ---- the equation face -------------------------------------------------------------------

    def test_residual_on(self, problem: Problem, lib: Library) -> None:
        """`residual` keeps shape and dtype, and agrees with NumPy."""
        if not problem.needs:
            pytest.skip("the problem states no residual")
        rng = generator("contract", problem.name)
        numbers = {
            name: float(rng.random()) for name, axes in problem.coefficients.items() if not axes
        }
        arrays = {
            name: rng.standard_normal((2, 5)) for name in problem.needs if name not in numbers
        }
        expected = problem.residual({**arrays, **numbers})
        for dtype, tolerance in (("float64", self.agreement), ("float32", 1e-4)):
            found = problem.residual({**lib.arrays(arrays, dtype), **numbers})
            assert set(found) == set(expected)
            for name, value in found.items():
                assert tuple(value.shape) == (2, 5), f"{name} has the shape {tuple(value.shape)}"
                assert dtype in str(value.dtype), f"{name} is {value.dtype}, not {dtype}"
                _assert_close(value, expected[name], tolerance, f"residual {name}")

    def test_gradients_of_the_residual_on(self, problem: Problem, lib: Library) -> None:
        """Differentiation sees all of `residual`: nothing goes through NumPy or is detached."""
        if not problem.needs or lib.name == "numpy":
            pytest.skip("there is no residual, or nothing to differentiate it")
        rng = generator("contract", problem.name)
        numbers = {
            name: float(rng.random()) for name, axes in problem.coefficients.items() if not axes
        }
        arrays = {n: rng.standard_normal((2, 5)) for n in problem.needs if n not in numbers}
        for moved in arrays:
            fixed, way = lib.arrays(arrays), rng.standard_normal((2, 5))

            def total(shift: Any, fixed: Any, way: Any, moved: str = moved) -> Any:
                d = {**fixed, moved: fixed[moved] + shift * way}
                return sum(r.sum() for r in problem.residual({**d, **numbers}).values())

            there = lib.array(way)
            found = lib.slope(lambda s, at=fixed, way=there: total(s, at, way))  # type: ignore[misc]
            ends = [total(h, arrays, way) for h in (1e-5, -1e-5)]
            expected = (ends[0] - ends[1]) / 2e-5
            size = 1.0 + abs(expected) + abs(ends[0])
            assert abs(found - expected) <= 1e-5 * size, (
                f"residual by {moved}: {found:.6g} by {lib.name}, {expected:.6g} by differences"
            )

    # ---- the initial state and the ansatz ----------------------------------------------------

    def test_initial_state_on(self, problem: Problem, lib: Library) -> None:
        """`initial_state` takes arrays of any library and jets, and all agree."""
        points = _space(_inside(problem.domain, 11), problem.domain)
        expected = _start(problem, points)
        assert set(expected) == set(problem.evolved)
        here = lib.arrays(points)
        found = problem.initial_state(here)
        space = jets.space(tuple(points), tuple(points))
        lifted = problem.initial_state(jets.variables(space, here))
        slopes = named_derivatives(
            lambda at: {k: np.asarray(v) for k, v in problem.initial_state(at).items()},
            Domain(problem.domain.geometry), points, [f"{f}_{a}" for f in expected for a in points],
            0.003,
        )  # fmt: skip
        for field, values in expected.items():
            _assert_close(found[field], values, self.agreement, f"{field} on {lib.name}")
            _assert_close(lifted[field].value, values, self.agreement, f"{field} on jets")
            for axis in points:
                slope = _filled(lifted[field].derivative(axis), 11)
                least = float(np.max(np.abs(values))) / problem.domain[axis].length
                what = f"{field}_{axis} of the jet"
                _assert_close(slope, slopes[f"{field}_{axis}"], 1e-5, what, least)

    def test_ansatz_on(self, tasks: list[Task], lib: Library) -> None:
        """An ansatz meets the start and the Dirichlet sides whatever the network says.

        On arrays and on jets alike.
        """
        allowed = [task for task in tasks if "ansatz" in task.gives]
        if not allowed:
            pytest.skip("no task allows an ansatz")
        for task in allowed:
            problem, domain = task.problem, task.problem.domain
            outputs = {f: np.cos(np.arange(11.0)) + i for i, f in enumerate(problem.field_names)}
            raw = lib.arrays(outputs)

            def fields(points: Arrays, task: Task = task, raw: Arrays = raw) -> tuple[Any, Any]:
                """Return the fields on arrays and on jets."""
                here = lib.arrays(points)
                space = jets.space(tuple(points), tuple(points))
                flat = {k: jets.constant(space, v) for k, v in raw.items()}
                return task.ansatz(raw, here), task.ansatz(flat, jets.variables(space, here))

            if domain.time is not None and "initial_state" in task.gives:
                points = _inside(domain, 11)
                points[domain.time.name][:] = domain.time.lower
                space = _space(points, domain)
                start = problem.initial_state(space)
                rate = problem.initial_rate(space) if problem.order == 2 else {}
                found, lifted = fields(points)
                for field, values in start.items():
                    _assert_close(found[field], values, self.agreement, f"{field} at the start")
                    _assert_close(lifted[field].value, values, self.agreement, f"{field} on jets")
                for field, values in rate.items():
                    slope = _filled(lifted[field].derivative(domain.time.name), 11)
                    scale = max(float(np.max(np.abs(start[field]))), 1.0)
                    gap = float(np.max(np.abs(slope - np.asarray(values))))
                    assert gap <= 1e-9 * scale, f"rate of {field} at the start: gap {gap:.2g}"
            for part in domain.parts:
                surface = domain.spread_on(part, generator("ansatz", part), 11)
                for field in filter(lambda f: domain.is_hard(part, f), problem.field_names):
                    condition = domain.condition(part, field)
                    assert condition is not None
                    value = _filled(condition.at(surface.points), 11) / condition.alpha
                    for answer in fields(surface.points):
                        got = answer[field]
                        got = got.value if isinstance(got, jets.Jet) else got
                        gap = float(np.max(np.abs(np.asarray(got, float) - value)))
                        scale = max(float(np.max(np.abs(value))), 1.0)
                        assert gap <= 1e-9 * scale, f"{field} on {part}: gap {gap:.2g}"

    # ---- the solver face ---------------------------------------------------------------------

    def test_schemes_converge(self, problem: Problem, reference: Reference) -> None:
        """Every scheme converges to the reference under refinement of space and time together."""
        _require_schemes(problem)
        domain = problem.domain
        time = domain.time
        assert time is not None
        end = time.lower + self.span * time.length
        for name, scheme in problem.schemes().items():
            errors = []
            for cells in self.cells:
                grid = domain.grid(cells)
                state = {k: np.asarray(v) for k, v in problem.start(grid.points()).items()}
                times = np.linspace(time.lower, end, ceil(self.span * cells) + 1)
                states = rollout(scheme, state, _unknowns(problem, grid), times, grid, 0.9)
                centres = {a: v.ravel() for a, v in grid.points().items()}
                truth = reference.evaluate({**centres, time.name: np.full(_size(state), end)})
                last = {k: states[k][..., -1].ravel() for k in problem.evolved}
                errors.append(relative_l2(last, truth))
            slope = log2(errors[0] / errors[-1]) / log2(self.cells[-1] / self.cells[0])
            small = errors[-1] <= self.floor + reference.bound
            told = ", ".join(f"{e:.2g}" for e in errors)
            assert slope > self.order * scheme.order or small, (
                f"{name}: order {slope:.2f}, stated {scheme.order}; errors {told}"
            )

    def test_steps_on(self, problem: Problem, lib: Library) -> None:
        """A step keeps shape and dtype, takes batch axes, and agrees with NumPy."""
        _require_schemes(problem)
        grid = problem.domain.grid(max(16, self.cells[0] // 4))
        start = {k: np.asarray(v) for k, v in problem.start(grid.points()).items()}
        # Another mean, and a depth stays positive.
        second = {k: 0.8 * v + 0.2 * np.max(np.abs(v)) for k, v in start.items()}
        batch = {k: np.stack([v, second[k]]) for k, v in start.items()}
        unknowns = _unknowns(problem, grid)
        for name, scheme in problem.schemes().items():
            dt = _step_of(problem, scheme, start, unknowns, grid)
            expected = scheme.step(start, unknowns, 0.0, dt, grid)
            for dtype, tolerance in (("float64", self.agreement), ("float32", 1e-3)):
                step = _stepper(scheme, lib, unknowns, dt, grid, dtype)
                one, other, both = (step(lib.arrays(s, dtype)) for s in (start, second, batch))
                assert set(one) == set(start), f"{name} returns {sorted(one)}"
                for field, values in one.items():
                    what = f"{field} of {name} on {lib.name} in {dtype}"
                    assert tuple(values.shape) == grid.cells, f"{what}: shape {values.shape}"
                    assert dtype in str(values.dtype), f"{what} is {values.dtype}"
                    _assert_close(values, expected[field], tolerance, what)
                    _assert_close(both[field][0], values, tolerance, f"batched {what}")
                    _assert_close(both[field][1], other[field], tolerance, f"batched {what}")

    def test_fluxes_converge(self, problem: Problem, reference: Reference) -> None:
        """Solved by finite volumes, a stationary problem tends to its reference at their order."""
        stated = problem.solver()
        if not isinstance(stated, Stationary) or not problem.domain.is_box:
            pytest.skip("the problem states no fluxes on a box")
        errors = []
        for cells in self.cells:
            grid = problem.domain.grid(cells)
            equations = FiniteVolumes(stated, problem.domain, problem.described, grid)
            points = grid.points()
            known = {
                name: value(points) if callable(value) else value
                for name, value in problem.coefficient_values().items()
            }
            found, _ = equations.solve(known, np.empty(0), equations.is_symmetric(known))
            errors.append(relative_l2(found, _answer(reference.evaluate, points, found)))
        rate = log2(errors[-2] / errors[-1]) / log2(self.cells[-1] / self.cells[-2])
        assert errors[-1] <= self.floor or rate >= self.order * ORDER, f"errors {errors}"

    def test_fluxes_on(self, problem: Problem, lib: Library) -> None:
        """The cells' equations agree with NumPy, batches included."""
        stated = problem.solver()
        if not isinstance(stated, Stationary) or not problem.domain.is_box:
            pytest.skip("the problem states no fluxes on a box")
        grid = problem.domain.grid(8)
        equations = FiniteVolumes(stated, problem.domain, problem.described, grid)
        rng, points = generator("contract", problem.name), grid.points()
        u = rng.standard_normal((2, len(problem.field_names), *grid.cells))
        fixed = problem.coefficient_values()
        numbers = {k: v for k, v in fixed.items() if not callable(v)}
        arrays = {k: v(points) for k, v in fixed.items() if callable(v)}
        expected = equations.residual(u[0], {**arrays, **numbers})
        here = lib.arrays({"u": u, **arrays})
        both = equations.residual(here.pop("u"), {**here, **numbers})
        _assert_close(both[0], expected, self.agreement, f"residual on {lib.name}")

    # ---- the data and the view ---------------------------------------------------------------

    def test_observations(self, tasks: list[Task]) -> None:
        """Observations follow from their generator alone and are shaped as stated."""
        for task in tasks:
            first, again = _observe(task), _observe(task)
            assert len(first) == len(again)
            for o, same in zip(first, again, strict=True):
                assert o.field in task.problem.field_names
                assert o.values.ndim == 1
                assert np.isfinite(o.values).all()
                np.testing.assert_array_equal(o.values, same.values)
                assert set(o.points) == set(task.problem.domain.names)
                for axis, values in o.points.items():
                    assert np.shape(values) == o.values.shape, f"{axis} of {o.field}"

    def test_labels(self, tasks: list[Task]) -> None:
        """Labels are samples of the reference, as many as asked for, from their generator alone."""
        for task in tasks:
            if "data" not in task.faces or not isinstance(task, FieldTask):
                continue
            labels, again = (task.labels(generator("labels"), 9) for _ in range(2))
            sought = {u.name for u in task.unknowns if u.kind == "coefficient"}
            assert {label.field for label in labels} == {*task.problem.field_names, *sought}
            for label, same in zip(labels, again, strict=True):
                assert label.values.shape == (9,)
                np.testing.assert_array_equal(label.values, same.values)
                if label.field in task.problem.field_names:
                    truth = task.reference.evaluate(dict(label.points))[label.field]
                    np.testing.assert_allclose(label.values, truth, rtol=1e-9, atol=1e-12)

    def test_the_view_refuses_what_is_not_given(self, tasks: list[Task]) -> None:
        """A view hands out what the task gives, notes it, and refuses everything else."""
        for task in tasks:
            calls: dict[str, Callable[[View], Any]] = {
                "data": lambda view: view.labels(3),
                "equation": lambda view: view.equation(),
                "solver": _solver,
                "initial_state": lambda view: view.initial_state(
                    _space(_inside(view.domain, 3), view.domain)
                ),
                "boundary": lambda view: view.conditions(),
                "embedding": lambda view: view.embedding(),
                "expression": lambda view: view.expression(),
            }
            for what, call in calls.items():
                view = View(task, lambda purpose: generator("contract", purpose))
                assert view.given(what) == (what in task.faces | task.gives)
                assert not view.sees, "asking is not taking"
                if view.given(what):
                    call(view)
                else:
                    with pytest.raises(NotGivenError, match=re.escape(view.label)):
                        call(view)
                    assert not view.sees, f"a refused {what} was noted as seen"
            view = View(task, lambda purpose: generator("contract", purpose))
            assert (view.ansatz() is not None) == ("ansatz" in task.gives)


# ---- helpers ---------------------------------------------------------------------------------


def _size(state: Arrays) -> int:
    """Return the number of cells of a state without batch axes."""
    return int(np.size(next(iter(state.values()))))


def _solver(view: View) -> Scheme | FiniteVolumes | Stationary:
    """Return the solver face: a time step, the equations on a grid, or fluxes and sources."""
    if view.schemes():
        return view.solver()
    if view.domain.time is None and view.domain.is_box:
        return view.stationary(view.domain.grid(8))
    return view.weak()


def _answer(evaluate: Any, points: Arrays, names: Any) -> Arrays:
    """Return the fields of a reference on a grid, name -> array of its shape."""
    flat = {axis: np.ravel(x) for axis, x in points.items()}
    shape = np.shape(next(iter(points.values())))
    return {name: np.reshape(evaluate(flat)[name], shape) for name in names}


def _inside(domain: Domain, n: int) -> dict[str, np.ndarray]:
    """Draw n points, always the same, a little inside the domain."""
    rng = generator("contract", domain.names)
    if not domain.is_box:
        geometry = domain.geometry
        room = 0.02 * max(a.length for a in domain.space)
        points = domain.sample(rng, 20 * n)
        space = {a: points[a] for a in geometry.names}
        far = np.flatnonzero(np.min(geometry.gaps(space), axis=0) > room)[:n]
        assert far.size == n, f"{geometry!r} is too thin for stencils"
        return {name: p[far] for name, p in points.items()}
    points = domain.sample(rng, n)
    middle = {a.name: 0.5 * (a.lower + a.upper) for a in domain.axes}
    return {name: middle[name] + 0.96 * (p - middle[name]) for name, p in points.items()}


def _space(points: dict[str, np.ndarray], domain: Domain) -> dict[str, np.ndarray]:
    return {a.name: points[a.name] for a in domain.space}


def _start(problem: Problem, points: Arrays) -> dict[str, np.ndarray]:
    """Return the initial state in NumPy; skips the test of a problem that states none."""
    try:
        return {k: np.asarray(v) for k, v in problem.initial_state(points).items()}
    except UnsupportedError as error:
        pytest.skip(str(error))


def _require_schemes(problem: Problem) -> None:
    if not problem.schemes():
        pytest.skip("the problem has no time step")


def _unknowns(problem: Problem, grid: Grid) -> dict[str, Any]:
    points = grid.points()
    return {k: v(points) if callable(v) else v for k, v in problem.coefficient_values().items()}


def _step_of(
    problem: Problem, scheme: Scheme, state: Arrays, unknowns: Arrays, grid: Grid
) -> float:
    limit = float(scheme.max_dt(state, unknowns, grid))
    assert limit > 0, f"the largest stable step is {limit}"
    time = problem.domain.time
    assert time is not None
    return min(0.5 * limit, time.length / grid.cells[0])


def _stepper(
    scheme: Scheme, lib: Library, unknowns: Arrays, dt: float, grid: Grid, dtype: str
) -> Callable[[Arrays], Arrays]:
    sought = lib.arrays(unknowns, dtype)
    return lib.compiled(lambda state: scheme.step(state, sought, 0.0, dt, grid))


def _observe(task: Task) -> Any:
    return task.observations(generator("contract", "observations"))


def _relative_residual(problem: Problem, d: dict[str, np.ndarray]) -> float:
    """Return the rms residual over the rms of its largest term, for the worst of the equations."""
    residual = problem.residual(dict(d))
    worst = 0.0
    for name, value in residual.items():
        terms = [
            np.sqrt(np.mean((value - problem.residual({**d, k: 0.0 * d[k]})[name]) ** 2))
            for k in problem.needs
            if split_derivative(k)[0] in problem.field_names
        ]
        worst = max(worst, float(np.sqrt(np.mean(value**2)) / max(*terms, 1e-300)))
    return worst


def _condition_gap(
    condition: Condition,
    field: str,
    needs: tuple[str, ...],
    evaluate: Any,
    domain: Domain,
    surface: Surface,
    width: float,
) -> float:
    d = named_derivatives(evaluate, domain, surface.points, needs, width)
    gap = condition.gap(field, d, surface.points, surface.normals)
    return float(np.max(np.abs(gap)))


def _filled(values: Any, n: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(values), n)


def _assert_close(
    found: Any, expected: Any, tolerance: float, what: str, least: float = 1e-300
) -> None:
    """Compare relative to the largest expected value, or to `least` where that is larger."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    gap = float(np.max(np.abs(found - expected)))
    scale = max(float(np.max(np.abs(expected))), least, 1e-300)
    assert gap <= tolerance * scale, f"{what}: relative gap {gap / scale:.2g} > {tolerance:g}"
