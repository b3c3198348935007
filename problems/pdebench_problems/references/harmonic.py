"""Harmonic functions fitted to boundary values, certified by the maximum principle.

u = particular + Re Σ cⱼ φⱼ(z) with φⱼ analytic in the shape, so the error is harmonic too, and
nowhere larger than on the boundary. The φⱼ carry the singularities of the shape, so that the fit
converges geometrically: Fox, Henrici & Moler 1967, doi:10.1137/0704008; Betcke & Trefethen 2005,
doi:10.1137/S0036144503437336. (Rational functions whose poles cluster at the corners, Gopal &
Trefethen 2019, doi:10.1073/pnas.1904139116, reach 9e-10 on the L-shape with six times the columns.)
"""

import itertools
from collections.abc import Callable
from functools import lru_cache
from math import pi, sqrt

import numpy as np

from pdebench_lite.problem import Arrays, Disc, Geometry, Polygon, Reference

Columns = Callable[[np.ndarray], np.ndarray]
_FITTED, _CHECKED = 160, 2221  # points a piece of the boundary; no fitted one is checked again
_ROUNDING = 4e-15  # of evaluating the sum
_CHUNK = 1 << 14  # points at a time

L_SHAPE = Polygon(((0, 0), (1, 0), (1, -1), (-1, -1), (-1, 1), (0, 1)))
HOLES = tuple(Disc((x, y), 0.1) for x in (0.3, -0.3) for y in (0.3, -0.3))


def _fitted(
    geometry: Geometry,
    columns: Columns,
    boundary: Callable[[int], tuple[np.ndarray, np.ndarray]],
    particular: Callable[[np.ndarray], np.ndarray],
    summary: str,
) -> Reference:
    """Fit the columns to boundary values less the particular solution.

    Args:
        geometry: the shape, for the norm of the solution.
        columns: points z = x + iy, (n,), to the functions there, (n, m).
        boundary: n to points on the boundary, n for each of its pieces (symmetry leaves a part of
            it), and the values there.
        particular: a solution of the equation, whatever the boundary.
        summary: of the reference.
    """
    z, given = boundary(_FITTED)
    matrix = columns(z)
    scale = np.linalg.norm(matrix, axis=0)
    c = np.linalg.lstsq(matrix / scale, given - particular(z), rcond=1e-15)[0] / scale

    def solution(z: np.ndarray) -> np.ndarray:
        pieces = [z[i : i + _CHUNK] for i in range(0, z.size, _CHUNK)]
        return np.concatenate([columns(p) @ c + particular(p) for p in pieces])

    def evaluate(points: Arrays) -> dict[str, np.ndarray]:
        z = np.asarray(points["x"], float) + 1j * np.asarray(points["y"], float)
        return {"u": solution(z.ravel()).reshape(z.shape)}

    checked, truth = boundary(_CHECKED)
    largest = float(np.max(np.abs(solution(checked) - truth)))
    at, w = geometry.quadrature(12)
    norm = float(np.sqrt(np.sum(w * evaluate(at)["u"] ** 2)))
    # twice: the largest error may lie between two of the points
    bound = (2 * largest + _ROUNDING) * sqrt(geometry.volume) / norm
    return Reference(evaluate, bound, summary, "bounded residual")


def _between(n: int) -> np.ndarray:
    """Return n Chebyshev points of [0, 1], and points that cluster at its ends more strongly."""
    t = 0.5 * (1 - np.cos(pi * np.arange(n) / (n - 1)))
    close = t[1 : n // 2] ** 3
    return np.concatenate([t, close, 1 - close])


@lru_cache(maxsize=1)
def l_shape() -> Reference:
    """Return −Δu = 1, u = 0 on [−1, 1]² without [0, 1]²: u = −|z|²/4 + v, v harmonic.

    At its re-entrant corner v has the powers 2(2m + 1)/3 and one z² log z, at each other corner one
    w² log w, w the distance from it; what is left is analytic there.
    """
    axis = np.exp(1.25j * pi)  # of symmetry, into the shape
    fractions = 2 * (2 * np.arange(50) + 1) / 3
    fractions = fractions[np.abs(fractions - np.round(fractions)) > 1e-9]

    def square_log(w: np.ndarray) -> np.ndarray:
        w = np.where(w == 0, 1e-300, w)
        return np.asarray((w * w * np.log(w)).real)

    def columns(z: np.ndarray) -> np.ndarray:
        zeta = z / axis
        size, angle = np.abs(zeta) / sqrt(2), np.angle(zeta)
        singular = size[:, None] ** fractions * np.cos(fractions * angle[:, None])
        smooth = ((zeta[:, None] / sqrt(2)) ** np.arange(41)).real
        logs = [square_log(zeta), square_log(sqrt(2) - zeta)]
        for corner, inward in ((1 + 0j, -1 - 1j), (1 - 1j, -1 + 1j)):
            turned = abs(inward) / inward
            mirrored = 1j * np.conj(z)
            logs.append(
                square_log((z - corner) * turned) + square_log((mirrored - corner) * turned)
            )
        return np.concatenate([singular, smooth, np.stack(logs, axis=1)], axis=1)

    def boundary(n: int) -> tuple[np.ndarray, np.ndarray]:
        t = _between(n)
        corners = (0j, 1 + 0j, 1 - 1j, -1 - 1j)  # the rest by symmetry
        z = np.concatenate([a + (b - a) * t for a, b in itertools.pairwise(corners)])
        return z, np.zeros(z.size)

    return _fitted(
        L_SHAPE, columns, boundary, lambda z: -(np.abs(z) ** 2) / 4,
        "least squares in corner functions, maximum principle",
    )  # fmt: skip


@lru_cache(maxsize=1)
def holes(geometry: Geometry) -> Reference:
    """Return Δu = 0, u = 1 on the sides of [−½, ½]² and 0 on the rims of `HOLES`.

    Powers of z, and a logarithm and inverse powers about each hole; by symmetry those of z⁴, and
    the same coefficients at all holes. Reflected across a side, 1 − u goes on, so the corners of
    the square are regular.
    """
    radius, middle = 0.1, 0.3 + 0.3j
    diagonal = abs(middle) / middle

    def columns(z: np.ndarray) -> np.ndarray:
        smooth = ((z[:, None] * sqrt(2)) ** (4 * np.arange(33))).real
        rays = [radius / ((z * turn - middle) * diagonal) for turn in (1, 1j, -1, -1j)]
        log = -np.sum(np.log(np.abs(rays)), axis=0)
        poles = np.sum([(ray[:, None] ** np.arange(1, 25)).real for ray in rays], axis=0)
        return np.concatenate([smooth, log[:, None], poles], axis=1)

    def boundary(n: int) -> tuple[np.ndarray, np.ndarray]:
        t = _between(n)
        side = 0.5 + 0.5j * t
        rim = middle + radius * np.exp(1j * pi * (0.25 + t))
        return np.concatenate([side, rim]), np.repeat([1.0, 0.0], t.size)

    return _fitted(
        geometry, columns, boundary, lambda z: np.zeros(z.shape),
        "least squares in Laurent series about the holes, maximum principle",
    )  # fmt: skip
