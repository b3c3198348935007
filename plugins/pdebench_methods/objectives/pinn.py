"""Objective of `pinn`: a network made to satisfy the equation at collocation points."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from pdebench_lite.method import Solution
from pdebench_lite.physics import array_namespace, jets
from pdebench_lite.problem import Arrays, Axis
from pdebench_lite.runner.run import Run
from pdebench_lite.view import Equation, View, split_derivative
from pdebench_methods.networks import Model
from pdebench_methods.pinn import PinnSettings
from pdebench_methods.solutions import network_solution
from pdebench_methods.training import Stage, Tools, next_of_plain

_EARLY = 10  # draws of points that come sooner than the others


class PinnTools(Tools, Protocol):
    """What a backend brings beside the common tools."""

    def nested_derivatives(
        self,
        function: Callable[[Arrays], dict[str, Any]],
        points: Arrays,
        wanted: Mapping[str, tuple[str, ...]],
    ) -> Arrays:
        """Return named derivatives (`u`, `u_x`, …) of a function of points by nested autodiff."""

    def evaluate(
        self,
        function: Callable[[Any, Any], Any],
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
    ) -> np.ndarray:
        """Return a function of parameters and data, compiled where that pays."""


class PinnObjective:
    """α₀·data misfit + α₁·mean squared residual (the lecture's weights).

    Raissi et al. 2019, doi:10.1016/j.jcp.2018.10.045, eq. 4.
    """

    def __init__(self, view: View, run: Run, tools: PinnTools) -> None:
        self.settings: PinnSettings = run.config
        self._tools, self._rng, self._stream = tools, run.rng("weights"), run.rng
        hard = self.settings.constraints == "hard"
        self.domain, self.unknowns = view.domain, view.unknowns
        self.equation: Equation = view.equation()
        embedding = view.embedding() if hard else _scaled(view)
        self.model = Model(view.fields, view.unknowns, view.domain, embedding, self.settings)
        self.ansatz = view.ansatz() if hard else None
        self.conditions = view.conditions() if view.given("boundary") else ()
        self._data = self._draw(view, run.rng("points"), hard)

    def _draw(self, view: View, rng: np.random.Generator, hard: bool) -> dict[str, np.ndarray]:
        """Draw every point that the loss reads: `part:axis` points, `part=field` values."""
        from scipy.stats import qmc

        s, domain = self.settings, view.domain

        def scattered(n: int, fixed: Mapping[str, float]) -> dict[str, np.ndarray]:
            unit = qmc.LatinHypercube(len(domain.axes), rng=rng).random(n).T
            drawn = {
                a.name: a.lower + a.length * row for a, row in zip(domain.axes, unit, strict=True)
            }
            return {**drawn, **{name: np.full(n, value) for name, value in fixed.items()}}

        data: dict[str, np.ndarray] = {}

        def add(part: str, points: Mapping[str, np.ndarray]) -> None:
            data.update({f"{part}:{a}": np.asarray(p) for a, p in points.items()})

        add("residual", scattered(s.points, {}))
        for i, observed in enumerate(view.observations()):
            add(f"observed{i}", observed.points)
            data[f"observed{i}={observed.field}"] = observed.values
            data[f"observed{i}/{observed.field}"] = np.asarray(_scale(observed.values))
        if view.given("initial_state") and self.ansatz is None and domain.time is not None:
            points = scattered(s.side_points, {domain.time.name: domain.time.lower})
            add("initial", points)
            space = {a.name: points[a.name] for a in domain.space}
            for field, values in view.initial_state(space).items():
                data[f"initial={field}"] = np.asarray(values)
        for i, condition in enumerate(self.conditions):
            side = getattr(domain[condition.axis], condition.side)
            add(f"condition{i}", scattered(s.side_points, {condition.axis: side}))
        if not hard:
            for axis in self._periodic():
                add(f"periodic{axis.name}", scattered(s.side_points, {axis.name: axis.lower}))
        return data

    def _periodic(self) -> list[Axis]:
        return [axis for axis in self.domain.axes if axis.periodic]

    def initial(self) -> dict[str, np.ndarray]:
        """Draw the weights."""
        return self.model.initial(self._rng)

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return the next optimiser, or the last one again on collocation points drawn anew.

        Fresh points keep the network from satisfying the equation at the points and nowhere else;
        early on, while it changes most, they come sooner: every fifth of `redraw`.
        """
        s = self.settings
        stage = next_of_plain(s, current, self._data, memo)
        if not s.redraw or (stage is not None and stage.steps is not None):
            return self._counted(stage)
        draws = memo["draws"] = memo.get("draws", -1) + 1
        length = s.redraw if draws >= _EARLY else max(1, s.redraw // 5)
        if draws == 0 and stage is not None:
            return self._counted(replace(stage, steps=length))
        trace = float(sum(np.sum(np.abs(v)) for v in current.values()))
        if memo.get("trace") == trace:
            return None  # nothing moved since the last draw
        memo["trace"] = trace
        data = {**self._data, **self._redrawn(current, draws)}
        last: Any = s.optimizers(sum(np.size(v) for v in current.values()))[-1]
        return self._counted(Stage(last, data, length, keep=True))

    def _counted(self, stage: Stage | None) -> Stage | None:
        """Add what one evaluation costs."""
        return (
            None
            if stage is None
            else replace(stage, costs={"residual_points": self.settings.points})
        )

    def _redrawn(self, parameters: dict[str, np.ndarray], draw: int) -> dict[str, np.ndarray]:
        """Draw collocation points with probability ∝ |r|/mean |r| + 1 from uniform candidates.

        Residual-based adaptive distribution: Wu et al. 2023, doi:10.1016/j.cma.2022.115671, eq. 2
        with k = c = 1. Several equations count by the sum of their squares.
        """
        s, rng = self.settings, self._stream(f"points{draw}")
        candidates = {
            f"residual:{a.name}": a.lower + a.length * rng.random(s.candidates)
            for a in self.domain.axes
        }
        size = self._tools.evaluate(self._residual_sizes, parameters, candidates)
        size = np.asarray(size, dtype=np.float64)
        density = size / (np.mean(size) or 1.0) + 1.0
        chosen = rng.choice(s.candidates, s.points, replace=False, p=density / np.sum(density))
        return {name: values[chosen] for name, values in candidates.items()}

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
        s = self.settings
        residuals = self._residuals(parameters, _part(data, "residual"))
        total = s.alpha1 * _mean_squares(residuals.values())
        return total + s.alpha0 * _mean_squares(self._constraints(parameters, data))

    def _constraints(self, parameters: dict[str, Any], data: dict[str, Any]) -> list[Any]:
        gaps = []
        for part in sorted({name.partition("=")[0] for name in data if "=" in name}):
            fields = self._fields(parameters, _part(data, part))
            for name, values in data.items():
                if name.startswith(f"{part}="):
                    field = name.partition("=")[2]
                    gap = fields[field] - values
                    scale = data.get(f"{part}/{field}")
                    gaps.append(gap if scale is None else gap / scale)
        for i, condition in enumerate(self.conditions):
            points = _part(data, f"condition{i}")
            d = self._derivatives(parameters, points, condition.needs)
            gaps += list(condition.residual(d, points).values())
        if self.settings.constraints == "soft":
            for axis in self._periodic():
                gaps += self._periodic_gaps(parameters, _part(data, f"periodic{axis.name}"), axis)
        return gaps

    def _periodic_gaps(self, parameters: dict[str, Any], lower: Arrays, axis: Axis) -> list[Any]:
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
        values = self._everything(parameters, jets.variables(space, points))
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
    return {k.rpartition(":")[2]: v for k, v in data.items() if k.startswith(f"{part}:")}


def _mean_squares(gaps: Any) -> Any:
    return sum((array_namespace(g).mean(g * g) for g in gaps), 0.0)


def _scale(values: np.ndarray) -> float:
    rms = float(np.sqrt(np.mean(values**2)))
    return rms if rms > 0 else 1.0
