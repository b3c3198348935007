"""Activations of jets with a reverse pass written by hand, in the terms that backends share.

Differentiated operation by operation, an activation of a jet is some thirty operations a layer,
each with a pass over memory of its own and two or three in reverse. By hand it is a third of them:
f∘x has the differential f′(x)·dx, a product of jets, so that the reverse pass is the transposed
product with the jet f′(x) (Griewank & Walther, *Evaluating Derivatives*, 2nd ed., SIAM 2008,
chapter 13), which for tanh and the logistic function follows from the output alone.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from pdebench_lite.numerics import jets
from pdebench_lite.numerics.jets import Array, Coefficients, Index, Jet, Space

MultiplyAdd: TypeAlias = Callable[[Array, Array, Array, float], Array]
"""(total, a, b, factor) -> total + factor·a·b; may write it into `total`."""

_RICCATI = {"tanh": (1.0, 0.0), "sigmoid": (0.0, 1.0)}
"""(a, b) of the activations with f′ = a + b f − f²."""

WITH_REVERSE = tuple(_RICCATI)
"""The activations that have a reverse pass here."""


def indices(space: Space, present: Sequence[Index]) -> tuple[Index, ...]:
    """Return the coefficients that f∘x has, those of x being `present`: all sums of them."""
    found = {space.indices[0]}
    for alpha in space.indices[1:]:
        if any(beta in found and gamma in present for beta, gamma in space.products[alpha]):
            found.add(alpha)
    return tuple(alpha for alpha in space.indices if alpha in found)


def forward(
    name: str, space: Space, present: Sequence[Index], x: Sequence[Array]
) -> tuple[Array, ...]:
    """Return the coefficients of f∘x, in the order of `indices`."""
    y = getattr(jets, name)(Jet(space, dict(zip(present, x, strict=True))))
    return tuple(y.coefficients[alpha] for alpha in indices(space, present))


def reverse(
    name: str,
    space: Space,
    present: Sequence[Index],
    y: Sequence[Array],
    gradients: Sequence[Array | None],
    multiply_add: MultiplyAdd,
) -> Coefficients:
    """Return x̄_β = Σ_{α ≥ β} ȳ_α f′(x)_{α−β} for all β in `present`, from y = f∘x and ȳ.

    Args:
        name: of `WITH_REVERSE`.
        space: the truncation.
        present: the coefficients that x has.
        y: coefficients of f∘x, in the order of `indices`, each of the shape of the value.
        gradients: ȳ, in the same order; None for zero.
        multiply_add: adds a product to a new array.
    """
    kept = indices(space, present)
    slope = _slope(name, space, dict(zip(kept, y, strict=True)), multiply_add)
    found: Coefficients = {}
    for alpha, gradient in zip(kept, gradients, strict=True):
        if gradient is None:
            continue
        for beta, gamma in space.products[alpha]:
            if gamma not in slope:
                continue
            if beta in found:
                found[beta] = multiply_add(found[beta], gradient, slope[gamma], 1.0)
            elif beta in present:
                found[beta] = gradient * slope[gamma]
    return found


def _slope(
    name: str, space: Space, y: Mapping[Index, Any], multiply_add: MultiplyAdd
) -> Coefficients:
    """Return f′(x) = a + b y − y² as a jet."""
    a, b = _RICCATI[name]
    zero = space.indices[0]
    value = y[zero]
    linear = b - 2.0 * value
    slope = {zero: a + value * (b - value)}
    for alpha in space.indices[1:]:
        if alpha not in y:
            continue
        total = linear * y[alpha]
        for beta, gamma in space.products[alpha]:
            if zero < beta <= gamma and beta in y and gamma in y:
                total = multiply_add(total, y[beta], y[gamma], -1.0 if beta == gamma else -2.0)
        slope[alpha] = total
    return slope
