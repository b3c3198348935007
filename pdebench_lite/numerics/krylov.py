"""Krylov and Newton methods in array-API arithmetic: one source for NumPy, torch and JAX.

Loops and derivatives differ from library to library, so a `Machine` brings them: plain Python and
the complex step for NumPy; the tool boxes of other backends bring theirs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ._namespace import Array, array_namespace

Linear: TypeAlias = Callable[[Array], Array]
"""A linear map of arrays to arrays of the same shape; leading axes are a batch."""

_STEP = 1e-30  # of the complex step: no difference is taken, so nothing cancels
_SHORTER = 6  # halvings of a Newton step that are tried at once
_MOST_NEWTON = 50


def _while(condition: Callable[[Any], Any], body: Callable[[Any], Any], state: Any) -> Any:
    while condition(state):
        state = body(state)
    return state


def complex_step(function: Callable[[Array], Array], at: Array, along: Array) -> Array:
    """Return the derivative of a NumPy function along a direction, exact to rounding.

    Squire & Trapp 1998, doi:10.1137/S003614459631241X.
    """
    return function(at + 1j * _STEP * along).imag / _STEP


def _solved(
    apply: Linear, b: Array, solve: Callable[[Linear, Array], Array], symmetric: bool
) -> Array:
    return solve(apply, b)


@dataclass(frozen=True)
class Machine:
    """What solvers need of an array library beside arithmetic.

    Attributes:
        loop: `loop(condition, body, state)`: apply the body while the condition holds.
        jvp: `jvp(function, at, along)`: the derivative of a function along a direction.
        inverse: `inverse(apply, b, solve, symmetric)`: the solution of apply(x) = b by
            `solve(apply, b)`, differentiable in b; `apply` is taken to be constant.
        constant: an array without its derivatives.
    """

    loop: Callable[[Callable[[Any], Any], Callable[[Any], Any], Any], Any] = _while
    jvp: Callable[[Callable[[Array], Array], Array, Array], Array] = complex_step
    inverse: Callable[[Linear, Array, Callable[[Linear, Array], Array], bool], Array] = _solved
    constant: Callable[[Array], Array] = lambda values: values


HOST = Machine()
"""NumPy's."""


def tolerance_of(b: Array) -> float:
    """Return the relative residual at which a solve stops: 1e-13, in single precision 1e-6."""
    return 1e-6 if "float32" in str(b.dtype) else 1e-13


def conjugate_gradients(
    apply: Linear,
    b: Array,
    precondition: Linear,
    axes: int,
    most: int = 2000,
    machine: Machine = HOST,
) -> tuple[Array, Any]:
    """Solve apply(x) = b for a symmetric positive (semi-)definite map.

    Hestenes & Stiefel 1952, doi:10.6028/jres.049.044; preconditioned as in Saad, *Iterative Methods
    for Sparse Linear Systems* (2003), algorithm 9.1, doi:10.1137/1.9780898718003.

    Args:
        apply: the map.
        b: right-hand side, shape (*batch, *system).
        precondition: an approximate inverse, symmetric and positive.
        axes: number of axes of the system.
        most: most iterations.
        machine: of the array library.

    Returns:
        The solution and the number of iterations. Every member of a batch goes on until all have
        reached `tolerance_of`; one that has stays as it is.
    """
    xp, dot = array_namespace(b), _inner(b, axes)
    goal = tolerance_of(b) ** 2 * dot(b, b)

    def unfinished(state: Any) -> Any:
        _, r, _, _, k = state
        return xp.any(dot(r, r) > goal) & (k < most)

    def step(state: Any) -> Any:
        x, r, p, rho, k = state
        open_ = dot(r, r) > goal
        q = apply(p)
        alpha = _ratio(xp, rho, dot(p, q), open_)
        x, r = x + alpha * p, r - alpha * q
        z = precondition(r)
        rho, before = dot(r, z), rho
        return x, r, z + _ratio(xp, rho, before, open_) * p, rho, k + 1

    z = precondition(b)
    x, *_, k = machine.loop(unfinished, step, (0.0 * b, b, z, dot(b, z), 0))
    return x, k


def stabilised_bicg(
    apply: Linear,
    b: Array,
    precondition: Linear,
    axes: int,
    most: int = 2000,
    machine: Machine = HOST,
) -> tuple[Array, Any]:
    """Solve apply(x) = b for a map that need not be symmetric; see `conjugate_gradients`.

    BiCGSTAB, van der Vorst 1992, doi:10.1137/0913035.
    """
    xp, dot = array_namespace(b), _inner(b, axes)
    goal = tolerance_of(b) ** 2 * dot(b, b)

    def unfinished(state: Any) -> Any:
        return xp.any(dot(state[1], state[1]) > goal) & (state[-1] < most)

    def step(state: Any) -> Any:
        x, r, p, rho, k = state
        open_ = dot(r, r) > goal
        ph = precondition(p)
        v = apply(ph)
        alpha = _ratio(xp, rho, dot(b, v), open_)
        s = r - alpha * v
        sh = precondition(s)
        t = apply(sh)
        omega = _ratio(xp, dot(t, s), dot(t, t), open_)
        x = x + alpha * ph + omega * sh
        r = s - omega * t
        rho, before = dot(b, r), rho
        beta = _ratio(xp, rho, before, open_) * _ratio(xp, alpha, omega, open_)
        return x, r, r + beta * (p - omega * v), rho, k + 1

    x, *_, k = machine.loop(unfinished, step, (0.0 * b, b, b, dot(b, b), 0))
    return x, k


def newton(
    residual: Callable[[Array], Array],
    x: Array,
    solve: Callable[[Linear, Array], Array],
    axes: int,
    machine: Machine = HOST,
) -> Array:
    """Solve residual(x) = 0 by Newton's method with a line search.

    Of the full step and its halves the one with the smallest residual is taken. It ends where the
    residual has fallen to rounding, or falls no further.

    Args:
        residual: shape-preserving; leading axes are a batch.
        x: where to start, shape (*batch, *system).
        solve: `solve(jacobian, b)`, of a linear system.
        axes: number of axes of the system.
        machine: of the array library.
    """
    xp, dot = array_namespace(x), _inner(x, axes)

    def size(r: Array) -> Array:
        return xp.max(dot(r, r))

    def unfinished(state: Any) -> Any:
        _, now, before, k = state
        return (now > least) & (now < before) & (k < _MOST_NEWTON)

    def step(state: Any) -> Any:
        x, now, _, k = state
        along = solve(lambda v: machine.jvp(residual, x, v), -residual(x))
        tried = [x + 0.5**i * along for i in range(_SHORTER)]
        sizes = xp.stack([size(residual(t)) for t in tried])
        sizes = xp.where(sizes == sizes, sizes, xp.full_like(sizes, float("inf")))
        best = xp.min(sizes)
        chosen = x
        for i in reversed(range(_SHORTER)):
            chosen = xp.where((sizes[i] == best) & (best < now), tried[i], chosen)
        return chosen, xp.where(best < now, best, now), now, k + 1

    first = size(residual(x))
    least = (10 * tolerance_of(x)) ** 2 * first
    return machine.loop(unfinished, step, (x, first, 4.0 * first, 0))[0]


def _inner(b: Array, axes: int) -> Callable[[Array, Array], Array]:
    """Return the inner product over the last axes, which stay, with length 1."""
    xp, last = array_namespace(b), tuple(range(-axes, 0))
    return lambda p, q: xp.sum(p * q, axis=last, keepdims=True)


def _ratio(xp: Any, a: Array, b: Array, where: Array) -> Array:
    """Return a/b where it is wanted and defined, else 0."""
    good = where & (b != 0)
    return xp.where(good, a, 0.0 * a) / xp.where(good, b, 0.0 * b + 1.0)
