"""Certified reference of ∂d/∂t + u(x)·∇d = 0 with a steady motion u, by characteristics.

Values travel: d(x, t) = d⁰(X), where the departure point X(x, t) is where a particle that is at x
now was at time 0. It follows from dX/ds = −t u(X), X(0) = x, s ∈ [0, 1], integrated for all points
at once however different their times. In one dimension the flow map has the slope
∂X/∂x = u(X)/u(x), so that the gradient of d needs no further integration.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, exp, log
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from pdebench_lite.errors import DivergedError, PdebenchError
from pdebench_lite.numerics import array_namespace, rk4
from pdebench_problems._fourier import fourier


@dataclass(frozen=True)
class Motion:
    """Steady motion u(x) = c + Σ_k sine[k−1] sin 2πkx + cosine[k−1] cos 2πkx of period 1.

    Call it with an array of any backend and shape, or with a jet.
    """

    c: float
    sine: tuple[float, ...] = ()
    cosine: tuple[float, ...] = ()

    def __call__(self, x: Any) -> Any:
        """Return u(x)."""
        return fourier(x, self.c, self.sine, self.cosine, period=1.0)


@dataclass(frozen=True)
class Bumps:
    """Density Σ_i amplitudes[i] Σ_k exp(−(x − centres[i] − k)²/2 widths[i]²) of period 1.

    Of the periodic images k three are kept: a width of at most 0.12 leaves the others below
    rounding. Arrays of any backend are wrapped into [0, 1); a jet, which has no `floor`, must have
    its points in [0, 1].
    """

    centres: tuple[float, ...]
    widths: tuple[float, ...]
    amplitudes: tuple[float, ...]

    def __post_init__(self) -> None:
        if not 0 < min(self.widths) <= max(self.widths) <= 0.12:
            raise PdebenchError(f"widths={self.widths} of bumps must lie in (0, 0.12]")

    def __call__(self, x: Any) -> Any:
        """Return the density at x."""
        xp = array_namespace(x)
        x = x - xp.floor(x) if hasattr(xp, "floor") else x
        value = 0.0 * x
        for centre, width, amplitude in zip(
            self.centres, self.widths, self.amplitudes, strict=True
        ):
            for image in (-1.0, 0.0, 1.0):
                z = (x - (centre + image)) * (1.0 / width)
                value = value + amplitude * xp.exp(-0.5 * z * z)
        return value


PUBLISHED_MOTION = Motion(0.25, (0.1, -0.05 * 0.8414709848078965), (0.0, 0.05 * 0.5403023058681398))
"""u = 0.25 + 0.1 sin 2πx + 0.05 cos(4πx + 1)."""

PUBLISHED_BUMPS = Bumps(centres=(0.3, 0.7), widths=(0.05, 0.08), amplitudes=(1.0, 0.6))
"""The density that it carries."""


def random_motion(
    rng: np.random.Generator, ratio: float | None = None, bumps: Bumps = PUBLISHED_BUMPS
) -> Motion:
    """Draw a motion of two modes without stagnation points.

    The modes are N(0, 1)/k, scaled so that min u / max u is uniform in [0.21, 0.6]; then all is
    scaled so that the centres of the bumps move, over unit time and on average, `ratio` times the
    width of their bump. Rounded to six decimals, so that every platform draws the same motion.

    Args:
        rng: source of the draw.
        ratio: displacement over width; None draws it from 1 to 6, uniform in its logarithm.
        bumps: the bumps that are to be moved.
    """
    from scipy.optimize import brentq

    sine, cosine = (rng.standard_normal((2, 2)) / (1, 2)).tolist()
    evenness, drawn = rng.uniform(0.21, 0.6), exp(rng.uniform(0.0, log(6.0)))
    ratio = drawn if ratio is None else ratio
    modes = Motion(0.0, tuple(sine), tuple(cosine))(np.linspace(0.0, 1.0, 1024, endpoint=False))
    weight = (1 - evenness) / (evenness * modes.max() - modes.min())
    speeds = 1 + weight * modes
    motion = Motion(1.0, *(tuple(weight * a for a in amplitudes) for amplitudes in (sine, cosine)))
    centres, widths = np.array(bumps.centres), np.array(bumps.widths)

    def excess(duration: float) -> float:
        arrived, _ = departure_points(motion, centres, -duration)
        return float(np.mean((arrived - centres) / widths)) - ratio

    slow, fast = 0.99 * speeds.min(), 1.01 * speeds.max()
    travel = ratio / np.mean(1 / widths)
    speed = brentq(excess, travel / fast, travel / slow, xtol=1e-9)
    c, *amplitudes = (round(float(speed * a), 6) for a in (1.0, *motion.sine, *motion.cosine))
    return Motion(c, tuple(amplitudes[:2]), tuple(amplitudes[2:]))


def departure_points(
    velocity: Callable[[np.ndarray], Any],
    points: Float[np.ndarray, "*d n"],
    duration: ArrayLike,
    rtol: float = 1e-12,
) -> tuple[Float[np.ndarray, "*d n"], Float[np.ndarray, "*d n"]]:
    """Follow the characteristics of a steady motion backwards in time.

    SciPy's DOP853 (Hairer, Nørsett & Wanner 1993, section II.10) chooses the steps for all points
    together; the result comes from a second pass that halves each of them. The bound is twice the
    gap between the two, and one ulp a step for rounding. For a smooth motion the second pass is 2⁸
    times better than the first, so that this overstates the error of every point by far. For a
    motion with kinks (a linear interpolant) the gain is small: the largest and the rms bound still
    hold, but one point in ten may exceed its own, errors are 10 to 10⁴ `rtol`, and the cost grows
    from 200 calls of `velocity` at 1e-6 to 10⁴ at 1e-10. Ask for no more than the use needs.

    Args:
        velocity: u; maps positions to velocities of the same shape, for (d, n) also to a sequence
            of d arrays (n,). Positions leave the unit cell: wrap them inside if u needs that.
        points: positions now, (n,) on a line or (d, n) with one row an axis.
        duration: time to go back, one for all or (n,); negative goes forward.
        rtol: relative and absolute tolerance of a step, at least 1e-13.

    Returns:
        Departure points, not wrapped, and a bound on their error, in the shape of `points`.

    Raises:
        PdebenchError: `rtol` is too small.
        DivergedError: the motion is not finite, or too rough for any step to meet `rtol`.
    """
    from scipy.integrate import DOP853, solve_ivp

    if not rtol >= 1e-13:
        raise PdebenchError(f"rtol={rtol} is within rounding: give at least 1e-13")
    points = np.asarray(points, float)
    backwards = -np.broadcast_to(np.asarray(duration, float), points.shape[-1:])
    if points.size == 0:
        return points.copy(), np.zeros_like(points)

    def rate(_: float, y: np.ndarray) -> np.ndarray:
        return np.ravel(backwards * np.asarray(velocity(y.reshape(points.shape)), float))

    start = points.ravel()
    if not np.all(np.isfinite(rate(0.0, start))):
        raise DivergedError("the motion is not finite at the points where characteristics start")
    coarse = solve_ivp(rate, (0.0, 1.0), start, method="DOP853", rtol=rtol, atol=rtol)
    if not coarse.success:
        raise DivergedError(f"characteristics stopped at {coarse.t[-1]:.3g} of the time: "
                            f"{coarse.message}")  # fmt: skip

    fine, stages = start, np.empty((DOP853.n_stages, start.size))
    steps = np.repeat(np.diff(coarse.t) / 2, 2)
    for step in steps:
        for i, row in enumerate(DOP853.A):  # the motion is steady: the nodes C play no part
            stages[i] = rate(0.0, fine + step * (row[:i] @ stages[:i]))
        fine = fine + step * (DOP853.B @ stages)
    rounding = np.finfo(float).eps * steps.size * np.maximum(abs(start), abs(fine))
    bound = 2 * abs(fine - coarse.y[:, -1]) + rounding
    return fine.reshape(points.shape), bound.reshape(points.shape)


_KNOTS = 4096


def tabulated(
    motion: Callable[[np.ndarray], np.ndarray], tolerance: float
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a periodic cubic spline through a motion of period 1 if it may stand for the motion.

    Paths take a thousand calls, each of which may start up a network. Between its knots the spline
    must agree with the motion to `tolerance`, absolutely; else, as with kinks, the motion itself is
    returned, in positions wrapped into [0, 1).
    """
    from scipy.interpolate import CubicSpline

    x = np.arange(2 * _KNOTS) / (2 * _KNOTS)
    values = motion(x)
    knots = values[::2]
    if np.isfinite(values).all():
        closed = np.append(knots, knots[0])
        spline = CubicSpline(np.append(x[::2], 1.0), closed, bc_type="periodic")
        if np.abs(spline(x[1::2]) - values[1::2]).max() <= tolerance:
            return spline
    return lambda y: motion(np.mod(y, 1.0))


_BASE_STEPS = 10  # per unit time
_MOST_SUBSTEPS = 64


def characteristics(
    velocity: Callable[[np.ndarray], np.ndarray],
    points: Float[np.ndarray, "*d n"],
    t: Float[np.ndarray, " nt"],
    tolerance: float,
) -> tuple[Float[np.ndarray, "*d n nt"], Float[np.ndarray, "*d n nt"]]:
    """Follow any steady motion back from every point for every duration t.

    Because the motion is steady, one backward path from a point passes through all its departure
    points. Classical Runge–Kutta steps, doubled until the paths agree; their number is bounded, so
    that a wild motion costs no more than a tame one, and its error is in the returned estimate.

    Args:
        velocity: maps positions to velocities, the shape of `points`; may be an interpolant with
            kinks. Positions leave the unit cell: wrap them inside if it needs that.
        points: where the paths start, (n,) on a line or (d, n).
        t: durations, ascending from zero or more.
        tolerance: largest difference of two refinements at which to stop.

    Returns:
        Departure points, not wrapped, and the difference to the coarser ones.
    """
    substeps, last = 1, None
    while True:
        paths = _runge_kutta(velocity, points, t, substeps)
        if last is not None:
            error = np.abs(paths - last)
            if float(error.max()) <= tolerance or substeps >= _MOST_SUBSTEPS:
                return paths, error
        substeps, last = 2 * substeps, paths


def _runge_kutta(
    velocity: Callable[[np.ndarray], np.ndarray], points: np.ndarray, t: np.ndarray, substeps: int
) -> np.ndarray:
    paths, now, y = [], 0.0, np.asarray(points, float)
    for end in t:
        n = max(1, ceil(_BASE_STEPS * (float(end) - now) - 1e-9)) * substeps
        h = (float(end) - now) / n
        for _ in range(n if h > 0 else 0):
            y = rk4(lambda y: -velocity(y), y, h)
        now = float(end)
        paths.append(y)
    return np.stack(paths, axis=-1)
