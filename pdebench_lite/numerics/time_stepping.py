"""Explicit Runge–Kutta steps: strong-stability-preserving (SSP) ones, and the classical one.

The SSP ones are convex combinations of Euler steps: what Euler keeps (bounds, total variation) at
its time step, they keep at the same time step. Sources: Shu & Osher 1988,
DOI 10.1016/0021-9991(88)90177-5; Gottlieb, Shu & Tadmor 2001, §4, DOI 10.1137/S003614450036757X.
"""

from collections.abc import Callable

from jaxtyping import Inexact

from ._namespace import Array

Rate = Callable[[Array], Array]


def ssp_rk2(rate: Rate, u: Inexact[Array, "*shape"], dt: float | Array) -> Inexact[Array, "*shape"]:
    """Take one step of the optimal second-order SSP method (Heun's), 2 evaluations of `rate`.

    Args:
        rate: u ↦ du/dt, same shape.
        u: state, any shape.
        dt: time step.

    Returns:
        The state one step later, same shape.
    """
    v = u + dt * rate(u)
    return u / 2 + (v + dt * rate(v)) / 2


def ssp_rk3(rate: Rate, u: Inexact[Array, "*shape"], dt: float | Array) -> Inexact[Array, "*shape"]:
    """Take one step of the optimal third-order SSP method (Shu–Osher), 3 evaluations of `rate`.

    Args:
        rate: u ↦ du/dt, same shape.
        u: state, any shape.
        dt: time step.

    Returns:
        The state one step later, same shape.
    """
    v = u + dt * rate(u)
    w = 3 * u / 4 + (v + dt * rate(v)) / 4
    return u / 3 + 2 * (w + dt * rate(w)) / 3


def rk4(rate: Rate, u: Inexact[Array, "*shape"], dt: float | Array) -> Inexact[Array, "*shape"]:
    """Take one step of the classical fourth-order method, 4 evaluations of `rate`.

    Source: Hairer, Nørsett & Wanner, Solving Ordinary Differential Equations I (1993), table II.1.2
    (left), DOI 10.1007/978-3-540-78862-1.

    Args:
        rate: u ↦ du/dt, same shape.
        u: state, any shape.
        dt: time step, one for all or an array that broadcasts against u.

    Returns:
        The state one step later, same shape.
    """
    k1 = rate(u)
    k2 = rate(u + 0.5 * dt * k1)
    k3 = rate(u + 0.5 * dt * k2)
    return u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + rate(u + dt * k3))
