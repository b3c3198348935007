"""How fast a state leaves its start, by the equation alone."""

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from pdebench_lite.problem.asked import Arrays, split_derivative
from pdebench_lite.seeding import generator

if TYPE_CHECKING:
    from pdebench_lite.problem.problem import Problem

_POINTS = 2000


def time_scale(problem: "Problem", coefficients: Mapping[str, Any]) -> float:
    """Return the time in which the state at the start changes by its own size, by the equation.

    |u₀|/|u_t(0)|, or √(|u₀|/|u_tt(0)|) of an equation of second order, root mean squares over
    space, the smallest of all fields; at most the span of time. Nothing of the solution is used.

    Args:
        problem: states the residual and the start.
        coefficients: those that are given, and guesses of those that are sought.
    """
    time = problem.domain.time
    assert time is not None, "a stationary problem has no start"
    points = problem.domain.geometry.sample(generator("start", problem.name), _POINTS)
    state = problem.start(points)
    rates = rates_at_start(problem, coefficients, points)
    scales = [time.length]
    for name, rate in rates.items():
        size = float(np.sqrt(np.mean(np.asarray(state[name]) ** 2)))
        fast = float(np.sqrt(np.mean(np.asarray(rate) ** 2)))
        if fast > 0 and size > 0:
            scales.append(size / fast if problem.order == 1 else sqrt(size / fast))
    return min(scales)


def rates_at_start(
    problem: "Problem", coefficients: Mapping[str, Any], points: Arrays
) -> dict[str, np.ndarray]:
    """Return u_t (or u_tt) of the evolved fields at the start of time, NumPy.

    Each residual is linear in the highest time derivatives: they follow from one linear system a
    point. Fields whose derivative is in no residual are left out.

    Args:
        problem: gives the residual and the state at the start.
        coefficients: numbers and functions of points.
        points: space points, coordinate -> (n,).
    """
    time = problem.domain.time
    assert time is not None
    suffix = time.name * problem.order
    sought = [f for f in problem.evolved if f"{f}_{suffix}" in problem.needs]
    known = _derivatives(problem, coefficients, points)

    def residuals(rates: dict[str, float]) -> np.ndarray:
        d = {**known, **{f"{f}_{suffix}": np.full(n, rates.get(f, 0.0)) for f in sought}}
        return np.stack([np.broadcast_to(r, (n,)) for r in problem.residual(d).values()])

    n = next(iter(points.values())).size
    base = residuals({})
    matrix = np.stack(
        [residuals({f: 1.0}) - base for f in sought], axis=1
    )  # (equations, fields, n)
    found = [
        np.linalg.lstsq(matrix[:, :, i], -base[:, i], rcond=None)[0]
        for i in range(n if sought else 0)
    ]
    return {f: np.array([row[k] for row in found]) for k, f in enumerate(sought)}


def _derivatives(
    problem: "Problem", coefficients: Mapping[str, Any], points: Arrays
) -> dict[str, Any]:
    """Return what the residual reads at the start, but for the highest time derivatives."""
    from pdebench_lite.numerics import jets

    time = problem.domain.time
    assert time is not None
    n = next(iter(points.values())).size
    here = {**points, time.name: np.full(n, time.lower)}
    spatial: dict[str, list[str]] = {}
    for base, suffix in map(split_derivative, problem.needs):
        spatial.setdefault(base, []).append(suffix)
    wanted = [s.replace(time.name, "") for ss in spatial.values() for s in ss]
    wanted = [s for s in wanted if s]
    space = jets.space(tuple(points), wanted or [next(iter(points))])
    at = jets.variables(space, points)
    values = dict(problem.initial_state(at))
    if problem.order == 2:
        values |= {f"{f}_{time.name}": v for f, v in problem.initial_rate(at).items()}
    clock = jets.constant(space, here[time.name])
    coefficients = {
        k: v({**at, time.name: clock}) if callable(v) else v for k, v in coefficients.items()
    }
    found: dict[str, Any] = {}
    for name in problem.needs:
        base, suffix = split_derivative(name)
        in_time = suffix.count(time.name)
        rate = f"{base}_{time.name}"
        value: Any = values.get(rate) if in_time == 1 else values.get(base, coefficients.get(base))
        rest = suffix.replace(time.name, "")
        if in_time > 1 or value is None:
            value = 0.0  # it is solved for, or not known here
        elif isinstance(value, jets.Jet):
            value = value.derivative(rest) if rest else value.value
        elif rest:
            value = 0.0
        found[name] = np.broadcast_to(np.asarray(value, float), (n,))
    return found
