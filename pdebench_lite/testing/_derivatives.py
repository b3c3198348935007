"""Derivatives of a function that can only be evaluated, by Chebyshev stencils."""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.polynomial import chebyshev

from pdebench_lite.problem import Domain, split_derivative

_NODES = np.cos(np.pi * np.arange(9) / 8)  # on [−1, 1]; exact for polynomials of degree 8

Named = dict[str, np.ndarray]


def named_derivatives(
    evaluate: Callable[[Named], Named],
    domain: Domain,
    points: Named,
    names: Iterable[str],
    width: float,
) -> Named:
    """Return derivatives such as `u_xx` at points, shape (n,) each.

    Trefethen 2000, Spectral Methods in MATLAB, chapter 6, on stencils that are moved inwards where
    they would leave the domain.

    Args:
        evaluate: points -> name -> (n,), in float64.
        domain: the domain; its axes give the derivatives their letters.
        points: axis name -> (n,).
        names: what is wanted.
        width: half width of a stencil, in lengths of the axis.
    """
    values: dict[str, Named] = {}
    found: Named = {}
    for name in names:
        base, suffix = split_derivative(name)
        axes = "".join(sorted(set(suffix)))
        if axes not in values:
            values[axes] = _on_stencils(evaluate, domain, points, axes, width)
        value = values[axes][base]  # (n, 9, …), one axis for each differentiated one
        for axis in reversed(axes):
            weights = _weights(domain, points, axis, suffix.count(axis), width)
            value = np.einsum("n...m,nm->n...", value, weights)
        found[name] = value
    return found


def _centres(domain: Domain, points: Named, axis: str, width: float) -> tuple[np.ndarray, float]:
    a = domain[axis]
    radius = width * a.length
    return np.clip(points[axis], a.lower + radius, a.upper - radius), radius


def _on_stencils(
    evaluate: Callable[[Named], Named], domain: Domain, points: Named, axes: str, width: float
) -> dict[str, np.ndarray]:
    n = next(iter(points.values())).size
    shape = (n, *[_NODES.size] * len(axes))
    moved = {a: np.broadcast_to(p.reshape(n, *[1] * len(axes)), shape) for a, p in points.items()}
    for i, axis in enumerate(axes):
        centre, radius = _centres(domain, points, axis, width)
        along = (1,) * i + (-1,) + (1,) * (len(axes) - i - 1)
        moved[axis] = centre.reshape(n, *[1] * len(axes)) + radius * _NODES.reshape(1, *along)
        moved[axis] = np.broadcast_to(moved[axis], shape)
    values = evaluate({a: p.ravel() for a, p in moved.items()})
    return {k: np.broadcast_to(np.asarray(v), n * _NODES.size ** len(axes)).reshape(shape)
            for k, v in values.items()}  # fmt: skip


def _weights(domain: Domain, points: Named, axis: str, order: int, width: float) -> np.ndarray:
    """Return the weights of the values at the nodes, shape (n, nodes)."""
    centre, radius = _centres(domain, points, axis, width)
    basis = chebyshev.chebder(np.eye(_NODES.size), order, axis=0)  # derivatives of T₀ … T₈
    rows = chebyshev.chebval((points[axis] - centre) / radius, basis)  # (nodes, n)
    return np.linalg.solve(chebyshev.chebvander(_NODES, _NODES.size - 1).T, rows).T / radius**order
