"""A reference computed by the problem's own scheme, with an estimate of its error.

Two resolutions in space, two time steps, and both together: the bound is the largest of their
differences, plus what the interpolation in time adds. Not for shocks, where such a difference
understates the error, nor for kinks, which limit every spectral reference.
"""

import itertools
from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics import Grid, fourier_basis
from pdebench_lite.problem.kept import State, kept
from pdebench_lite.problem.reference import Reference

if TYPE_CHECKING:
    from pdebench_lite.problem.problem import Problem

_CHECKED = 7  # times, off the nodes, at which the interpolation in time is compared


def refined(problem: "Problem", scheme: str, cells: int, steps: int, times: int = 64) -> Reference:
    """Return the solution of a scheme on a periodic box as a function of points.

    Stored at Chebyshev nodes in time and as Fourier series in space, on disk (`kept`).

    Args:
        problem: a periodic one; its coefficients do not depend on time.
        scheme: name of one of its schemes.
        cells: cells an axis of the finer of two grids.
        steps: time steps of the finer of two marches.
        times: Chebyshev nodes in time; twice as many are computed for the estimate.

    Raises:
        PdebenchError: the solution is not finite.
    """
    inputs = {"scheme": scheme, "cells": cells, "steps": steps, "times": times}
    stored = kept(problem, inputs, lambda: _compute(problem, scheme, cells, steps, times))
    return Reference(
        _Series(problem, stored).evaluate,
        float(stored["bound"]),
        f"{scheme} on {cells} cells an axis, {steps} steps; bound by coarser ones",
        "refined",
    )


def _compute(problem: "Problem", scheme: str, cells: int, steps: int, times: int) -> State:
    fine = _march(problem, scheme, cells, steps, 2 * times)
    others = [(cells // 2, steps), (cells, steps // 2), (cells // 2, steps // 2)]
    bound = 0.0
    for n, m in others:
        coarse = _march(problem, scheme, n, m, 2 * times)
        bound = max(bound, _gap(problem, coarse, fine))
    bound += _gap(problem, _thinned(fine, times), fine)
    return {**fine, "bound": np.array(bound + 1e-15)}


def _nodes(n: int) -> np.ndarray:
    """Return Chebyshev–Lobatto nodes of [0, 1], ascending, (n + 1,)."""
    nodes: np.ndarray = 0.5 - 0.5 * np.cos(np.pi * np.arange(n + 1) / n)
    return nodes


def _thinned(stored: State, times: int) -> State:
    """Return every second node of a series of twice as many."""
    return {name: values[::2] for name, values in stored.items() if values.shape[0] > times}


def _march(problem: "Problem", scheme: str, cells: int, steps: int, times: int) -> State:
    """Return the state at Chebyshev nodes in time: field -> (times + 1, *cells)."""
    domain, chosen = problem.domain, problem.schemes()[scheme]
    assert domain.time is not None
    grid = domain.grid(cells)
    state = {k: np.asarray(v, float) for k, v in problem.start(grid.points()).items()}
    points = grid.points()
    known = {k: v(points) if callable(v) else v for k, v in problem.coefficient_values().items()}
    nodes = domain.time.lower + domain.time.length * _nodes(times)
    frames, longest = [state], domain.time.length / steps
    for begin, end in itertools.pairwise(nodes):
        n = max(1, ceil((end - begin) / longest - 1e-9))
        dt = float(end - begin) / n
        prepared = chosen.prepared(known, dt, grid)
        for k in range(n):
            state = chosen.step(state, prepared, float(begin) + k * dt, dt, grid)
        frames.append(state)
    found = {name: np.stack([frame[name] for frame in frames]) for name in state}
    if not all(np.isfinite(values).all() for values in found.values()):
        raise PdebenchError(f"the reference of {problem.name} by {scheme} is not finite")
    return found


def _gap(problem: "Problem", coarse: State, fine: State) -> float:
    """Return the largest relative L2 difference over the fields, at points on neither grid."""
    domain = problem.domain
    assert domain.time is not None
    rng = np.random.default_rng(0)
    space = {a.name: a.lower + a.length * rng.random(256) for a in domain.space}
    worst = 0.0
    for t in (np.arange(_CHECKED) + 0.37) / _CHECKED:
        points = {
            **space,
            domain.time.name: np.full(256, domain.time.lower + domain.time.length * t),
        }
        a, b = (_Series(problem, s).evaluate(points) for s in (coarse, fine))
        for name in problem.evolved:
            scale = float(np.sqrt(np.mean(b[name] ** 2))) or problem.described[name].scale
            worst = max(worst, float(np.sqrt(np.mean((a[name] - b[name]) ** 2))) / scale)
    return worst


class _Series:
    """Chebyshev in time, Fourier in space; a function of points."""

    def __init__(self, problem: "Problem", stored: Mapping[str, np.ndarray]) -> None:
        self._domain = problem.domain
        self._values = {name: np.asarray(stored[name]) for name in problem.evolved}
        shape = next(iter(self._values.values())).shape
        self._grid: Grid = self._domain.grid(shape[1:])
        self._nodes = _nodes(shape[0] - 1)

    def evaluate(self, points: dict[str, Any]) -> State:
        """Return the fields at points, (n,)."""
        time = self._domain.time
        assert time is not None
        t = (np.asarray(points[time.name], float).ravel() - time.lower) / time.length
        at = [np.asarray(points[a.name], float).ravel() for a in self._domain.space]
        found = {name: np.empty(t.size) for name in self._values}
        last: list[np.ndarray] = []
        bases: list[np.ndarray] = []
        for moment in np.unique(t):
            here = t == moment
            weights = _barycentric(self._nodes, float(moment))
            places = [x[here] for x in at]
            if not (last and all(map(np.array_equal, last, places))):
                axes = zip(self._grid.axes, places, strict=True)
                last, bases = places, [fourier_basis(self._grid, a, x) for a, x in axes]
            for name, values in self._values.items():
                found[name][here] = _at(np.tensordot(weights, values, 1), bases)
        shape = np.shape(points[time.name])
        return {name: values.reshape(shape) for name, values in found.items()}


def _at(values: np.ndarray, bases: list[np.ndarray]) -> np.ndarray:
    """Return the trigonometric interpolant of values over a grid at points."""
    result = np.tensordot(bases[0], np.fft.rfft(values, axis=0), 1).real
    for basis in bases[1:]:  # every point has its own row now
        result = np.einsum("nk,nk...->n...", basis, np.fft.rfft(result, axis=1)).real
    return result


def _barycentric(nodes: np.ndarray, t: float) -> np.ndarray:
    """Return the weights of the values at Chebyshev nodes in their polynomial at t.

    Berrut & Trefethen 2004, eq. 5.4, doi:10.1137/S0036144502417715.
    """
    w = (-1.0) ** np.arange(nodes.size)
    w[[0, -1]] *= 0.5
    gap = t - nodes
    if (gap == 0).any():
        return (gap == 0).astype(float)
    terms = w / gap
    return terms / np.sum(terms)
