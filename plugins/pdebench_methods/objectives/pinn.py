"""Objective of `pinn`: a network made to satisfy the equation at collocation points."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import Any

import numpy as np

from pdebench_lite.numerics import array_namespace, jets
from pdebench_lite.problem import Arrays, Axis, Condition, Domain, split_derivative
from pdebench_lite.problem.observations import scales
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import Equation, View
from pdebench_lite.runner.run import Run
from pdebench_methods.networks import Model, networks_of
from pdebench_methods.objectives.weighing import Weighing, rooted
from pdebench_methods.pinn import PinnSettings
from pdebench_methods.samplers import Draw
from pdebench_methods.settings import component
from pdebench_methods.share import Share
from pdebench_methods.solutions import network_solution
from pdebench_methods.training import Stage, Term, Tools, next_of_plain

_EARLY = 10  # draws of points that come sooner than the others
_FALL = 10.0  # by which the weight of noisy observations falls or rises
_WORTH = 300.0  # seconds left for which a doubling of the points is worth its compilation


class PinnObjective:
    """α₀·data misfit + α₁·mean squared residual (the lecture's weights).

    Raissi et al. 2019, doi:10.1016/j.jcp.2018.10.045, eq. 4.
    """

    def __init__(self, view: View, run: Run, tools: Tools) -> None:
        self.settings: PinnSettings = run.config
        self._tools, self._rng, self._stream = tools, run.rng("weights"), run.rng
        self._run: Run | Share = run
        hard = self.settings.constraints == "hard"
        self.domain, self.unknowns = view.domain, view.unknowns
        self.equation: Equation = view.equation()
        embedding = view.embedding() if hard else _scaled(view)
        self.ansatz = view.ansatz() if hard else None
        stated = view.conditions() if view.given("boundary") else ()
        self.conditions = [
            (part, field, condition)
            for part, field, condition in stated
            if self.ansatz is None or not self.domain.is_hard(part, field)
        ]
        networks = networks_of(self.settings, tools, self._order(hard))
        self.model = Model(view.fields, view.unknowns, view.domain, embedding, networks)
        sampler, self._sampling = component("sampler", self.settings.sampler)
        self._sampler = sampler.load(tools.backend)
        self._weighing = Weighing(self.settings.weighting, tools, self.domain.time)
        self._noise = [(i, o.field, o.noise) for i, o in enumerate(view.observations()) if o.noise]
        self._data = self._draw(view, run.rng("points"), hard)

    def _draw(self, view: View, rng: np.random.Generator, hard: bool) -> dict[str, np.ndarray]:
        """Draw every point that the loss reads: `part:axis` points, `part=field` values."""
        s, domain = self.settings, view.domain

        def scattered(n: int, fixed: Mapping[str, float]) -> dict[str, np.ndarray]:
            return {**domain.spread(rng, n), **{k: np.full(n, v) for k, v in fixed.items()}}

        data: dict[str, np.ndarray] = {}

        def add(part: str, points: Mapping[str, np.ndarray]) -> None:
            data.update({f"{part}:{a}": np.asarray(p) for a, p in points.items()})

        data |= self._sampled(Draw(domain, rng, s.points, s.candidates))
        observations = view.observations()
        start = self._start_by_ansatz() if observations else {}
        if observations and self.ansatz is None and view.given("initial_state") and domain.time:
            start = dict(view.initial_state(_cells(domain)))
        units = scales(observations, start)
        for i, (observed, unit) in enumerate(zip(observations, units, strict=True)):
            add(f"observed{i}", observed.points)
            data[f"observed{i}={observed.field}"] = observed.values
            data[f"observed{i}/{observed.field}"] = np.asarray(unit)
        if view.given("initial_state") and self.ansatz is None and domain.time is not None:
            points = scattered(s.side_points, {domain.time.name: domain.time.lower})
            add("initial", points)
            space = {a.name: points[a.name] for a in domain.space}
            for name, values in view.start(space).items():
                data[f"initial={name}"] = np.asarray(values)
        for i, (part, _, _) in enumerate(self.conditions):
            surface = domain.spread_on(part, rng, s.side_points)
            add(f"condition{i}", surface.points)
            data.update({f"condition{i}^{a}": v for a, v in surface.normals.items()})
        if not hard:
            for axis in self._periodic():
                add(f"periodic{axis.name}", scattered(s.side_points, {axis.name: axis.lower}))
        return data

    def _start_by_ansatz(self) -> Arrays:
        """Return the initial state at some points, where the ansatz knows it; else nothing."""
        if self.ansatz is None or self.domain.time is None:
            return {}
        points = _cells(self.domain)
        n = next(iter(points.values())).size
        points[self.domain.time.name] = np.full(n, self.domain.time.lower)
        return self.ansatz(dict.fromkeys(self.model.fields, np.zeros(n)), points)

    def _periodic(self) -> list[Axis]:
        return [axis for axis in self.domain.axes if axis.periodic]

    def _order(self, hard: bool) -> int:
        """Return the highest order of the derivatives that the loss needs."""
        names = self.domain.geometry.names
        of_sides = [n for _, f, c in self.conditions for n in c.needs(f, names)]
        needs = [*self.equation.needs, *of_sides]
        orders = [len(split_derivative(name)[1]) for name in needs]
        return max([*orders, 0 if hard or not self._periodic() else 1])

    def initial(self) -> dict[str, np.ndarray]:
        """Draw the weights."""
        return self.model.initial(self._rng)

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return the next optimiser, or the last one again on new collocation points.

        Fresh points keep the network from satisfying the equation at the points and nowhere else;
        early on, while it changes most, they come sooner: every fifth of `redraw`. Points grow to
        `most_points`, so that early steps are cheap.
        """
        s = self.settings
        stage = next_of_plain(s, current, self._data, memo)
        if not s.redraw or (stage is not None and stage.steps is not None):
            return self._counted(self._weighed(stage, current, memo))
        draws = memo["draws"] = memo.get("draws", -1) + 1
        length = s.redraw if draws >= _EARLY else max(1, s.redraw // 5)
        begun = memo.get("planned", 0)  # steps before this stage
        memo["planned"] = begun + length
        if draws == 0 and stage is not None:
            return self._counted(self._weighed(replace(stage, steps=length), current, memo))
        trace = float(sum(np.sum(np.abs(v)) for v in current.values()))
        if memo.get("trace") == trace:
            return None  # nothing moved since the last draw
        memo["trace"] = trace
        points = memo.get("points", s.points)
        if self._run.time_left >= _WORTH:
            # one doubling at a time: each is compiled, and the next one knows how long that takes
            due = min(s.points << begun // s.doubling, 2 * points, s.most_points)
            points = memo["points"] = max(points, due)
        data = {**self._data, **self._redrawn(current, draws, points)}
        data |= self._within_the_noise(current, memo)
        last = s.optimizers(sum(np.size(v) for v in current.values()))[-1]
        steps = None if self._is_last(length, begun, memo) else length
        stage = Stage(last, data, steps)
        stage = replace(stage, keep=stage.described.carries)
        if points != s.points:
            stage = replace(stage, leg=f"on {points} points")
        return self._counted(self._weighed(stage, current, memo))

    def _is_last(self, length: int, begun: int, memo: dict[str, Any]) -> bool:
        """Say whether the time left is short of two stages of that length at the latest pace.

        A network that has met its points for a few steps only errs more than shortly before.
        """
        left = self._run.time_left
        if not isfinite(left):
            return False
        left_before, begun_before = memo.get("at", (left, begun))
        memo["at"] = left, begun
        pace = (left_before - left) / max(1, begun - begun_before)
        return left < 2 * length * pace

    def _counted(self, stage: Stage | None) -> Stage | None:
        """Add what one evaluation costs."""
        if stage is None:
            return None
        return replace(stage, costs={"residual_points": stage.data["residual/root"].size})

    def _weighed(
        self, stage: Stage | None, current: dict[str, np.ndarray], memo: dict[str, Any]
    ) -> Stage | None:
        """Weigh the parts of the loss on the points of a stage."""
        if stage is None:
            return None
        roots = self._weighing.roots(self.terms(stage.data), current, memo)
        return replace(stage, data={**stage.data, **roots})

    def _redrawn(
        self, parameters: dict[str, np.ndarray], draw: int, points: int
    ) -> dict[str, np.ndarray]:
        """Draw collocation points by the sampler that is configured."""

        def sizes(at: Mapping[str, np.ndarray]) -> np.ndarray:
            data = {f"residual:{name}": values for name, values in at.items()}
            data |= self.known_at(data)
            found = self._tools.evaluate(self._residual_sizes, parameters, data)
            return np.asarray(found, dtype=np.float64)

        rng = self._stream(f"points{draw}")
        drawn = self._sampled(Draw(self.domain, rng, points, self.settings.candidates, sizes))
        return drawn | self.known_at(drawn)

    def _sampled(self, draw: Draw) -> dict[str, np.ndarray]:
        """Return points and the roots of their weights, whose mean is 1."""
        points, weights = self._sampler(draw, self._sampling)
        weights = np.ones(draw.count) if weights is None else weights
        drawn = {f"residual:{name}": np.asarray(values) for name, values in points.items()}
        return {**drawn, "residual/root": np.sqrt(weights / np.mean(weights))}

    def _within_the_noise(
        self, parameters: dict[str, np.ndarray], memo: dict[str, Any]
    ) -> dict[str, np.ndarray]:
        """Return the scales of noisy observations: α₀ of one falls while its noise is fitted.

        A misfit below the noise is bought by violating the equation. So the weight falls where the
        misfit is below, and rises where it is above what the noise explains, known without the
        truth (Morozov's discrepancy principle; Engl, Hanke & Neubauer 1996, sect. 4.3).
        """
        first, least = self.settings.alpha0, self.settings.least_alpha0
        changed = {}
        for i, field, noise in self._noise if least < first else ():
            part, name = f"observed{i}", f"observed{i}/{field}"
            gaps = self._tools.evaluate(self._first_misfit, parameters, _part(self._data, part))
            below = float(np.mean(gaps**2)) <= (noise / float(self._data[name])) ** 2
            before = memo.get(part, first)
            memo[part] = max(least, before / _FALL) if below else min(first, before * _FALL)
            changed[name] = self._data[name] * np.sqrt(first / memo[part])
        return changed

    def _first_misfit(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        return self._misfits(parameters, data)[0]

    def known_at(self, points: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what the residual reads at `residual:axis` points as well, `residual/name`."""
        return {}

    def _residual_sizes(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        residuals = self._residuals(parameters, _part(data, "residual"))
        total = sum(r * r for r in residuals.values())
        return array_namespace(total).sqrt(total)

    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the networks as functions."""
        return network_solution(self.model, parameters, self._tools, self.ansatz)

    # ---- the loss ----------------------------------------------------------------------------

    def loss(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return α₀·(data, initial, boundary, periodicity) + α₁·residual, each a mean square."""
        total: Any = 0.0
        for term in self.terms(data):
            gaps = term.function(parameters, term.data)
            total = total + term.weight * sum(array_namespace(g).mean(g * g) for g in gaps)
        return total

    def terms(self, data: dict[str, Any]) -> list[Term]:
        """Return the parts of the loss: mean squares of what depends on one point each."""
        s = self.settings

        def term(part: str, weight: float, function: Callable[..., list[Any]]) -> Term:
            return rooted(Term(part, _part(data, part), weight, function))

        terms = [term("residual", s.alpha1, self._gaps)]
        for part in sorted({name.partition("=")[0] for name in data if "=" in name}):
            terms.append(term(part, s.alpha0, self._misfits))
        for i, (_, field, condition) in enumerate(self.conditions):
            of_this = partial(self._condition_gaps, field, condition)
            terms.append(term(f"condition{i}", s.alpha0, of_this))
        for axis in self._periodic() if s.constraints == "soft" else ():
            terms.append(term(f"periodic{axis.name}", s.alpha0, partial(self._periodic_gaps, axis)))
        return terms

    def _gaps(self, parameters: dict[str, Any], points: dict[str, Any]) -> list[Any]:
        return list(self._residuals(parameters, points).values())

    def _misfits(self, parameters: dict[str, Any], data: dict[str, Any]) -> list[Any]:
        """Fields, or their derivatives, against values at points; in units of a given scale."""
        wanted = tuple(name[1:] for name in data if name.startswith("="))
        points = {a: data[a] for a in self.domain.names}
        if any("_" in name for name in wanted):
            fields = self._derivatives(parameters, points, wanted)
        else:
            fields = self._fields(parameters, points)
        gaps = []
        for name, values in data.items():
            if name.startswith("="):
                gap = fields[name[1:]] - values
                scale = data.get(f"/{name[1:]}")
                gaps.append(gap if scale is None else gap / scale)
        return gaps

    def _condition_gaps(
        self, field: str, condition: Condition, parameters: dict[str, Any], data: Arrays
    ) -> list[Any]:
        points = {name: values for name, values in data.items() if not name.startswith("^")}
        normals = {name[1:]: values for name, values in data.items() if name.startswith("^")}
        needs = condition.needs(field, tuple(normals))
        d = self._derivatives(parameters, points, needs)
        return [condition.gap(field, d, points, normals)]

    def _periodic_gaps(self, axis: Axis, parameters: dict[str, Any], lower: Arrays) -> list[Any]:
        names = tuple(n for f in self.model.fields for n in (f, f"{f}_{axis.name}"))
        upper = {**lower, axis.name: lower[axis.name] + axis.length}
        ends = [self._derivatives(parameters, points, names) for points in (lower, upper)]
        return [ends[1][name] - ends[0][name] for name in names]

    def _fields(self, parameters: dict[str, Any], points: Arrays) -> Arrays:
        outputs = self.model.outputs(parameters, points)
        return self.ansatz(outputs, points) if self.ansatz else outputs

    def _residuals(self, parameters: dict[str, Any], points: Arrays) -> Arrays:
        return self.equation.residual(self._derivatives(parameters, points, self.equation.needs))

    def _everything(self, parameters: dict[str, Any], points: Arrays) -> Arrays:
        """Fields and coefficients at points (arrays or jets); known numbers stay numbers."""
        sought = {
            u.name: self.model.unknown(parameters, u, points) for u in self.model.coefficients
        }
        known = {k: v(points) if callable(v) else v for k, v in self.equation.known.items()}
        return {**known, **sought, **self._fields(parameters, points)}

    def variables(self, space: jets.Space, points: Arrays) -> Arrays:
        """Return the points as jets."""
        seeded: Arrays = jets.variables(space, points)
        return seeded

    def _derivatives(
        self, parameters: dict[str, Any], points: Arrays, names: tuple[str, ...]
    ) -> Arrays:
        """Return named derivatives at points, each of shape (n,) or a number."""
        wanted: dict[str, tuple[str, ...]] = {}
        for base, suffix in map(split_derivative, names):
            wanted[base] = (*wanted.get(base, ()), suffix)
        if self.settings.derivatives == "autodiff":
            function = lambda p: self._everything(parameters, p)  # noqa: E731
            return self._tools.nested_derivatives(function, points, wanted)
        space = jets.space(self.domain.names, [s for ss in wanted.values() for s in ss if s])
        values = self._everything(parameters, self.variables(space, points))
        named: Arrays = {}
        for base, suffixes in wanted.items():
            for suffix in suffixes:
                value = values[base]
                is_jet = isinstance(value, jets.Jet)
                name = f"{base}_{suffix}" if suffix else base
                named[name] = value.derivative(suffix) if is_jet else (0.0 if suffix else value)
        return named


def _scaled(view: View) -> Callable[[Arrays], list[Any]]:
    """Return the inputs of soft constraints: every axis scaled to [−1, 1], nothing periodic."""
    axes = view.domain.axes
    return lambda points: [
        (points[a.name] - a.lower) * (2.0 / a.length) - 1.0 for a in axes if a.name in points
    ]


def _part(data: dict[str, Any], part: str) -> dict[str, Any]:
    """Return the data of a part: axis -> points, `=field` -> values, `/field` -> their scale."""
    named = {}
    for key, values in data.items():
        if key.startswith(part) and key[len(part) : len(part) + 1] in (":", "=", "/", "^"):
            named[key[len(part) :].removeprefix(":")] = values
    return named


def _cells(domain: Domain) -> dict[str, np.ndarray]:
    """Return points spread evenly over space, some thousand."""
    points, _ = domain.geometry.quadrature(round(1000 ** (1 / len(domain.space))))
    return points
