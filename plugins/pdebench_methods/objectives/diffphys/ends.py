"""What the boundary conditions say of a sought initial state, and what a rollout needs besides."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pdebench_lite.problem import Domain, Unknown
from pdebench_lite.problem.view import View

_RATE = "_t"  # as a solver names the time derivative of a field in its state


def rates(view: View) -> tuple[Unknown, ...]:
    """Return the initial rates of an equation of second order in time, where no start is given.

    No task asks for them; a rollout begins with them.
    """
    if view.order < 2 or view.given("initial_state"):
        return ()
    return tuple(
        Unknown(f"{u.name}_rate", "initial", u.axes, f"{u.field}{_RATE}")
        for u in view.unknowns
        if u.kind == "initial"
    )


def is_rate(unknown: Unknown) -> bool:
    """Say whether an unknown is one of `rates`."""
    return unknown.field.endswith(_RATE)


def fixed_ends(domain: Domain, unknown: Unknown) -> tuple[str, ...]:
    """Return the parts of the boundary where an initial state is known, once `lift` is taken off.

    A rate is zero where a value holds that does not depend on time.
    """
    if unknown.kind != "initial" or unknown.positive:
        return ()
    stated = {p: domain.condition(p, unknown.field.removesuffix(_RATE)) for p in domain.parts}
    return tuple(
        part
        for part, condition in stated.items()
        if condition is not None
        and not condition.beta
        and not (is_rate(unknown) and callable(condition.value))
    )


def lift(domain: Domain, unknown: Unknown) -> Callable[[dict[str, Any]], np.ndarray] | None:
    """Return a function with the values that an initial state has at its fixed ends; None: zero."""
    if is_rate(unknown) or not fixed_ends(domain, unknown):
        return None
    assert domain.time is not None, "an initial state is one of an evolution"
    clock, start = domain.time.name, domain.time.lower

    def function(points: dict[str, Any]) -> np.ndarray:
        first = np.asarray(points[domain.space[0].name], float)
        found = domain.hard(unknown.field, {**points, clock: np.full(first.shape, start)})
        assert found is not None, "a box has a smooth distance"
        return np.ravel(np.broadcast_to(np.asarray(found[0], float), first.shape))

    return function
