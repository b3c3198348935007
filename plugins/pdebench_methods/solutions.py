"""Turning trained parameters into a `Solution`: functions that take and return NumPy float64."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pdebench_lite.numerics import Grid
from pdebench_lite.problem import Arrays, Domain, Unknown
from pdebench_lite.problem.solution import Solution
from pdebench_methods.networks import Model
from pdebench_methods.training import Tools

_CHUNKS = (1 << 8, 1 << 10, 1 << 12, 1 << 14, 1 << 16)  # points at a time: few shapes to compile
_PAD = 12  # cells repeated beyond an end, whose effect on a quintic spline falls by 0.43 a cell


def network_solution(
    model: Model,
    parameters: dict[str, np.ndarray],
    tools: Tools,
    ansatz: Callable[[Arrays, Arrays], Arrays] | None,
) -> Solution:
    """Return the networks of a model as functions, evaluated by the backend that trained them."""
    device = {name: tools.asarray(values) for name, values in parameters.items()}

    def fields(points: dict[str, Any]) -> dict[str, Any]:
        outputs = model.outputs(device, points)
        return ansatz(outputs, points) if ansatz else outputs

    def coefficient(unknown: Unknown) -> Callable[[dict[str, Any]], np.ndarray]:
        function = lambda points: {"": model.unknown(device, unknown, points)}  # noqa: E731
        if not unknown.axes:
            number = np.asarray(model.unknown(parameters, unknown, {}), dtype=np.float64)
            return lambda points: number
        return lambda points: _on_host(function, points, tools)[""]

    return Solution(
        predict=lambda points: _on_host(fields, points, tools),
        unknowns={u.name: coefficient(u) for u in model.coefficients},
        weights=parameters,
        parameters=sum(int(np.size(values)) for values in parameters.values()),
    )


def _on_host(
    function: Callable[[dict[str, Any]], dict[str, Any]], points: dict[str, Any], tools: Tools
) -> dict[str, np.ndarray]:
    """Evaluate a function of points in chunks, the last one filled up with its last point."""
    flat = {name: np.asarray(values, dtype=np.float64) for name, values in points.items()}
    n = next(iter(flat.values())).size
    size = next((chunk for chunk in _CHUNKS if chunk >= n), _CHUNKS[-1])
    parts = []
    for start in range(0, n, size):
        chosen = np.minimum(np.arange(start, start + size), n - 1)
        part = {name: tools.asarray(values[chosen]) for name, values in flat.items()}
        parts.append({k: tools.to_numpy(v) for k, v in function(part).items()})
    return {k: np.concatenate([p[k] for p in parts])[:n].astype(np.float64) for k in parts[0]}


class TrajectoryInterpolant:
    """Splines through a trajectory on a grid; a function on space-time points.

    On a line they are quintic in space: at a shock of a few cells, cubics err more than a scheme of
    fourth order does. In time, and in more dimensions, they are cubic; of fewer than four times, of
    the degree that these allow. Times beyond the last one, by rounding, are the last one. Between a
    wall and the first cell centre the last polynomial is continued.
    """

    def __init__(
        self, domain: Domain, grid: Grid, times: np.ndarray, states: dict[str, np.ndarray]
    ) -> None:
        self._domain, self._grid = domain, grid
        self._times, to_them = _at_least_four(times)
        self._states = {
            name: values if to_them is None else values @ to_them for name, values in states.items()
        }
        self._splines: dict[str, Callable[[dict[str, Any]], np.ndarray]] = {}

    def __call__(self, points: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return the fields at points, name -> (n,)."""
        for name, values in self._states.items():
            if name not in self._splines:
                self._splines[name] = self._spline(values)
        return {name: spline(points) for name, spline in self._splines.items()}

    def _spline(self, values: np.ndarray) -> Callable[[dict[str, Any]], np.ndarray]:
        from scipy.interpolate import NdBSpline, RectBivariateSpline, make_interp_spline

        time = self._domain.time
        assert time is not None
        nodes = []
        for i, axis in enumerate(self._domain.space):
            h, n, pad = self._grid.spacing[axis.name], self._grid.cells[i], _PAD * axis.periodic
            nodes.append(axis.lower + h * (np.arange(-pad, n + pad) + 0.5))
            values = np.take(values, np.arange(-pad, n + pad), axis=i, mode="wrap")
        nodes.append(self._times)
        names = [a.name for a in self._domain.space]

        def at(points: dict[str, Any]) -> list[np.ndarray]:
            t = np.clip(points[time.name], self._times[0], self._times[-1])
            return [*(np.asarray(points[name]) for name in names), t]

        if len(nodes) == 2:
            h = self._grid.spacing[names[0]]
            inside = (nodes[0][0] - 0.5 * h, nodes[0][-1] + 0.5 * h, nodes[1][0], nodes[1][-1])
            spline = RectBivariateSpline(nodes[0], nodes[1], values, inside, kx=5)

            def on_a_line(points: dict[str, Any]) -> np.ndarray:
                x, t = at(points)
                return spline.ev(x, t)

            return on_a_line
        # One axis after the other: SciPy's own class for grids solves for all of them at once,
        # which took 6 s for 64 × 64 cells and 200 times.
        knots = []
        for i, x in enumerate(nodes):
            along = make_interp_spline(x, values, k=3, axis=i)
            knots.append(along.t)
            values = np.moveaxis(along.c, 0, i)
        in_space = NdBSpline(tuple(knots), np.ascontiguousarray(values), 3)
        return lambda points: in_space(np.stack(np.broadcast_arrays(*at(points)), axis=-1))


def _at_least_four(times: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return four times, and the matrix from states at fewer to the polynomial through them there.

    Cubic splines need four; where there are as many, these and None.
    """
    n = times.size
    if n >= 4:
        return times, None
    nodes, length = np.linspace(0.0, 1.0, 4), times[-1] - times[0]
    powers = np.linalg.inv(np.vander((times - times[0]) / length, n))
    return times[0] + length * nodes, (np.vander(nodes, n) @ powers).T
