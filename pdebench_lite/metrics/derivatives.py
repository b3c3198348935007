"""Derivatives of any function on points, taken by the harness, identically for all methods."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import product

import numpy as np

from pdebench_lite.errors import DivergedError
from pdebench_lite.problem import Domain

Points = dict[str, np.ndarray]

_REACH = 4
# nodes apart, in lengths of the axis, by order: small against a shock, large against rounding
_STEPS = {0: 0.0, 1: 2e-4, 2: 2e-4, 3: 1e-3, 4: 4e-3}


def derivatives(
    function: Callable[[Points], Mapping[str, np.ndarray]],
    names: Sequence[str],
    points: Points,
    domain: Domain,
    suffixes: Sequence[str],
) -> dict[str, np.ndarray]:
    """Differentiate by central differences on nine nodes an axis, 2e-4 of its length apart.

    The error is O(h⁸) for the first and second derivative (h is larger for the third and fourth,
    which err by O(h⁶)) plus rounding of about ε/h per order: 1e-8 of a float64 field's second
    derivative, but 1e1 of a float32 one's.

    Args:
        function: maps points (axis name -> (n,)) to name -> (n,).
        names: which of its answers are wanted.
        points: where; on an axis that is not periodic at least `margin` away from its ends.
        domain: tells which axes are periodic; on those, nodes are wrapped into the domain.
        suffixes: axis letters, such as `""`, `"x"`, `"xx"` or `"xt"`; at most order 4 an axis.

    Returns:
        `name` or `name_suffix` -> (n,).

    Raises:
        DivergedError: the function is not finite somewhere.
    """
    axes = [axis for axis in domain.axes if axis.name in points]
    stencils = {
        suffix: [
            [(node * _STEPS[order], w / (_STEPS[order] * axis.length) ** order if order else 1.0)
             for node, w in _weights(order)]
            for axis in axes
            for order in [suffix.count(axis.name)]
        ]
        for suffix in suffixes
    }  # fmt: skip
    rows: dict[tuple[float, ...], int] = {}  # shift of every axis -> its place in the query
    for stencil in stencils.values():
        for nodes in product(*stencil):
            rows.setdefault(tuple(shift for shift, _ in nodes), len(rows))
    shifted = {}
    for i, axis in enumerate(axes):
        moves = axis.length * np.array([shifts[i] for shifts in rows])
        moved = np.asarray(points[axis.name], float) + moves[:, None]
        if axis.periodic:
            moved = axis.lower + np.mod(moved - axis.lower, axis.length)
        shifted[axis.name] = moved.ravel()
    answer = function(shifted)
    result = {}
    for name in names:
        values = np.asarray(answer[name], float)
        if not np.isfinite(values).all():
            raise DivergedError(f"'{name}' is not finite where it is differentiated")
        values = values.reshape(len(rows), -1)
        for suffix, stencil in stencils.items():
            total = np.zeros(values.shape[1])
            for nodes in product(*stencil):
                weight = float(np.prod([w for _, w in nodes]))
                total += weight * values[rows[tuple(shift for shift, _ in nodes)]]
            result[f"{name}_{suffix}" if suffix else name] = total
    return result


def margin(suffixes: Sequence[str], axis: str) -> float:
    """Return how far, in lengths of an axis, points must stay away from its ends."""
    return _REACH * max(_STEPS[suffix.count(axis)] for suffix in suffixes)


@lru_cache(maxsize=8)
def _weights(order: int) -> tuple[tuple[int, float], ...]:
    """Return (node, weight) of the derivative on unit spacing: exact for powers up to eight."""
    if order == 0:
        return ((0, 1.0),)
    nodes = np.arange(-_REACH, _REACH + 1)
    powers = np.arange(nodes.size)
    wanted = np.where(powers == order, float(np.prod(np.arange(1, order + 1))), 0.0)
    weights = np.linalg.solve(np.power.outer(nodes.astype(float), powers).T, wanted)
    weights = (weights + (-1) ** order * weights[::-1]) / 2  # exact symmetry
    return tuple((int(k), float(w)) for k, w in zip(nodes, weights, strict=True) if k or w)
