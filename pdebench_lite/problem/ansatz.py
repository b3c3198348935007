"""Ansatz: fields that meet initial and Dirichlet conditions whatever a network returns.

With N the network's output, D a function that vanishes on the Dirichlet sides and G one that has
the stated values there (`Domain.hard`):

    stationary             u = G + D·N
    first order in time    u = G + (u₀ − G₀)·(1 − g) + g·D·N,  g = s/(s + τ),  s = t − t₀
    second order           u = G + (u₀ − G₀)·(1 − g) + (v₀ − Ġ₀)·s·(1 − g) + g·D·N,
                           g = s²/(s² + τ²)

u₀, v₀ are the state and its rate at the start, G₀, Ġ₀ those of G. The weight 1 − g lets u₀ fade:
u₀ + s·N keeps its kinks and its high derivatives for all times (measured on Allen–Cahn and on the
wave equation). After Lagaris et al. 1998, doi:10.1109/72.712178, eq. 12, where 1 − g is 1.
"""

from typing import Any

from pdebench_lite.problem.asked import Arrays
from pdebench_lite.problem.problem import Problem


def hard_fields(problem: Problem, outputs: Arrays, points: Arrays, tau: float | None) -> Arrays:
    """Turn raw outputs into fields.

    Args:
        problem: states what holds at the start and on the boundary.
        outputs: field name -> raw output at the points.
        points: coordinate name -> arrays or jets.
        tau: τ, in which the start fades (`time_scale`); None where no start is given.
    """
    domain, found = problem.domain, {}
    time = domain.time
    if time is None or tau is None:
        return {name: _walls(problem, name, outputs[name], points) for name in outputs}
    space = {a.name: points[a.name] for a in domain.space}
    elapsed = points[time.name] - time.lower
    start = problem.initial_state(space)
    rate = problem.initial_rate(space) if problem.order == 2 else {}
    for name, raw in outputs.items():
        if name not in start:  # an auxiliary field has no start
            found[name] = _walls(problem, name, raw, points)
            continue
        stated = domain.hard(name, points)
        lift, distance = stated if stated is not None else (0.0, 1.0)
        lift0, dlift0 = _lift_at_start(problem, name, points) if stated is not None else (0.0, 0.0)
        if problem.order == 2:
            square = elapsed * elapsed
            grown = square / (square + tau * tau)
            known = (start[name] - lift0) + (rate[name] - dlift0) * elapsed
        else:
            grown = elapsed / (elapsed + tau)
            known = start[name] - lift0
        found[name] = lift + known * (1.0 - grown) + grown * (distance * raw)
    return found


def _walls(problem: Problem, name: str, raw: Any, points: Arrays) -> Any:
    stated = problem.domain.hard(name, points)
    return raw if stated is None else stated[0] + stated[1] * raw


def _lift_at_start(problem: Problem, name: str, points: Arrays) -> tuple[Any, Any]:
    """Return the lift at the start of time and its rate there, by a small difference in time.

    Exact where the boundary values do not depend on time or are linear in it.
    """
    time = problem.domain.time
    assert time is not None
    t = points[time.name]
    h = 1e-4 * time.length

    def lift(at: float) -> Any:
        stated = problem.domain.hard(name, {**points, time.name: 0.0 * t + at})
        assert stated is not None
        return stated[0]

    first = lift(time.lower)
    if problem.order == 1:
        return first, 0.0
    return first, (4.0 * lift(time.lower + h) - lift(time.lower + 2 * h) - 3.0 * first) * (0.5 / h)
