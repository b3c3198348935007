"""Fourier methods on periodic grids: derivatives, dealiasing, and ETDRK4 in time."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jaxtyping import Complex, Float, Inexact

from ._namespace import Array, along, arange, array_namespace
from .grid import Grid


def wavenumbers(
    grid: Grid, axis: str | None = None, *, like: Array, full: bool = False
) -> Float[Array, " modes"]:
    """Return the angular wavenumbers k = 2πj/L of a periodic axis.

    Args:
        grid: grid.
        axis: name of the axis; None for the only one.
        like: real array whose library, dtype and device the result takes.
        full: False for the modes of `rfft`, j = 0 … n//2; True for those of `fft`, the order
            0, 1, …, −1, as the other axes of a many-dimensional `rfftn` have them.

    Returns:
        Shape `(n // 2 + 1,)` or `(n,)`, in radians per unit of length.

    Raises:
        ValueError: unknown axis, or one that is not periodic.
    """
    name = grid.axis(axis)
    return (2 * math.pi / grid.length[name]) * _modes(grid, name, like, full)


def dealias_mask(
    grid: Grid, axis: str | None = None, *, like: Array, full: bool = False
) -> Float[Array, " modes"]:
    """Return the mask of the 2/3 rule: 1 for modes |j| < n/3, else 0.

    A product of two masked fields is then free of aliasing in the modes that the mask keeps.
    Source: Orszag 1971, DOI 10.1175/1520-0469(1971)028<1074:OTEOAI>2.0.CO;2.

    Args:
        grid: grid.
        axis: name of the axis; None for the only one.
        like: as for `wavenumbers`.
        full: as for `wavenumbers`.

    Returns:
        Shape as for `wavenumbers`; multiply a spectrum by it.

    Raises:
        ValueError: unknown axis, or one that is not periodic.
    """
    xp, name = array_namespace(like), grid.axis(axis)
    kept = 3 * xp.abs(_modes(grid, name, like, full)) < grid.cells[grid.index(name)]
    return xp.astype(kept, like.dtype)


def spectral_derivative(
    u: Float[Array, "*shape"], grid: Grid, axis: str | None = None, order: int = 1
) -> Float[Array, "*shape"]:
    """Return ∂ᵖu/∂xᵖ, exact for every trigonometric polynomial that the grid resolves.

    The saw-tooth mode of an even n has no odd derivative on the grid and is dropped from it.
    Source: Trefethen, Spectral Methods in MATLAB (2000), ch. 3, DOI 10.1137/1.9780898719598.

    Args:
        u: shape `(*batch, *cells)`.
        grid: grid whose `axis` is periodic.
        axis: name of the axis; None for the only one.
        order: p ≥ 0.

    Returns:
        Same shape.

    Raises:
        ValueError: negative order, unknown axis, a shape off the grid, an axis not periodic.
    """
    if order < 0:
        raise ValueError(f"order must not be negative, got {order}")
    name = grid.axis(axis)
    grid.check(u, axis=name)
    xp, i = array_namespace(u), grid.index(name)
    n = grid.cells[i]
    k = wavenumbers(grid, name, like=u)
    if order % 2:
        k = xp.where(2 * _modes(grid, name, u, full=False) == n, 0.0, k)
    factor = along(xp, k**order, i) * 1j**order
    return xp.fft.irfft(factor * xp.fft.rfft(u, axis=i), n=n, axis=i)


def fourier_basis(grid: Grid, axis: str | None, x: Float[Array, " n"]) -> Complex[Array, "n modes"]:
    """Return the matrix B with which Re(B·rfft(u)) is the trigonometric interpolant of u at x.

    Exact for every trigonometric polynomial that the grid resolves.

    Args:
        grid: grid.
        axis: name of the axis; None for the only one.
        x: coordinates.

    Returns:
        Shape `(n, cells // 2 + 1)`.

    Raises:
        ValueError: unknown axis, or one that is not periodic.
    """
    name = grid.axis(axis)
    xp, i = array_namespace(x), grid.index(name)
    n, first = grid.cells[i], grid.lower[i] + 0.5 * grid.spacing[name]
    j = _modes(grid, name, x, full=False)
    weight = xp.where((j == 0) | (2 * j == n), 1.0, 2.0) / n  # a mode stands for its conjugate too
    phase = (2 * math.pi / grid.length[name]) * (x - first)[:, None] * j
    return weight * xp.exp(1j * phase)


def _modes(grid: Grid, axis: str, like: Array, full: bool) -> Array:
    """Return the mode numbers j of an axis, in the order of `fft` (full) or `rfft`."""
    grid.check(axis=axis)
    xp, n = array_namespace(like), grid.cells[grid.index(axis)]
    if not full:
        return arange(xp, n // 2 + 1, like)
    j = arange(xp, n, like)
    return xp.where(2 * j < n, j, j - n)


class ETDRK4Coefficients(NamedTuple):
    """What `etdrk4_step` needs of the linear part; each of the shape of `linear`.

    With z = dt·linear and φ₁ = (eᶻ − 1)/z, φ₂ = (φ₁ − 1)/z, φ₃ = (φ₂ − ½)/z.
    """

    whole: Array
    """eᶻ"""
    half: Array
    """e^{z/2}"""
    inner: Array
    """½dt·φ₁(z/2), weight of the nonlinear part in the inner stages"""
    first: Array
    """dt·(φ₁ − 3φ₂ + 4φ₃), weight of the first stage"""
    middle: Array
    """dt·(2φ₂ − 4φ₃), weight of the two middle stages together"""
    last: Array
    """dt·(4φ₃ − φ₂), weight of the last stage"""


def etdrk4_coefficients(linear: Inexact[Array, "*modes"], dt: float | Array) -> ETDRK4Coefficients:
    """Return the coefficients of `etdrk4_step`, right to about 1e-14; hoist it out of the loop.

    Kassam & Trefethen 2005 (DOI 10.1137/S1064827502410633) replace the cancelling closed forms by
    contour integrals. Here they follow from the Taylor series of φ₃ for |z| < 1, and are the closed
    forms elsewhere: as exact, no complex arithmetic, and differentiable in `linear` and `dt`, at
    z = 0 too.

    Args:
        linear: diagonal of the linear operator, such as −ν·k², in 1/time; any shape, ≤ 0. A
            complex array will do for dispersion.
        dt: time step.

    Returns:
        Six arrays of the shape of `linear`.
    """
    z = dt * linear
    xp = array_namespace(z)
    small = xp.abs(z) < 1
    # Each branch sees harmless numbers where the other is chosen, so no gradient is NaN.
    near, far = xp.where(small, z, 0.0), xp.where(small, -1.0, z)
    phi3 = near * _PHI3[-1] + _PHI3[-2]
    for coefficient in _PHI3[-3::-1]:
        phi3 = phi3 * near + coefficient
    phi2 = near * phi3 + 0.5
    phi1 = near * phi2 + 1.0
    half = xp.exp(z / 2)
    e = half * half

    def stable(series: Array, closed: Array) -> Array:
        return dt * xp.where(small, series, closed)

    cube = far**3
    return ETDRK4Coefficients(
        whole=e,
        half=half,
        inner=stable(phi1 / (1 + half), (half - 1) / far),  # φ₁(z) = φ₁(z/2)·(1 + e^{z/2})/2
        # Cox & Matthews 2002, coefficients of (29)
        first=stable(phi1 - 3 * phi2 + 4 * phi3, (e * (4 - 3 * far + far * far) - 4 - far) / cube),
        middle=stable(2 * phi2 - 4 * phi3, 2 * (e * (far - 2) + 2 + far) / cube),
        last=stable(4 * phi3 - phi2, (e * (4 - far) - 4 - 3 * far - far * far) / cube),
    )


def etdrk4_step(
    u_hat: Complex[Array, "*modes"],
    coefficients: ETDRK4Coefficients,
    nonlinear: Callable[[Array], Array],
) -> Complex[Array, "*modes"]:
    """Take one fourth-order exponential step of dû/dt = linear·û + nonlinear(û).

    See `etdrk4_stages`, of which this is the case of one field and no time.
    """
    found = etdrk4_stages(
        {"u": u_hat}, {"u": coefficients}, lambda s, t: {"u": nonlinear(s["u"])}, 0.0, 0.0
    )
    return found["u"]


def etdrk4_stages(
    spectra: dict[str, Array],
    coefficients: Mapping[str, ETDRK4Coefficients],
    nonlinear: Callable[[dict[str, Array], Any], dict[str, Array]],
    t: Any,
    dt: Any,
) -> dict[str, Array]:
    """Take one fourth-order exponential step of dû/dt = linear·û + nonlinear(û, t).

    The linear part is exact and never limits the time step; 4 evaluations of `nonlinear`.
    Source: Cox & Matthews 2002, (26)–(29), DOI 10.1006/jcph.2002.6995.

    Args:
        spectra: field name -> spectrum, shape `(*batch, *modes)`.
        coefficients: field name -> those of `etdrk4_coefficients`, which broadcast against it.
        nonlinear: (spectra, time) ↦ spectra of the nonlinear part; dealiasing is its business.
        t: time.
        dt: time step, that of the coefficients.

    Returns:
        The spectra one step later, same shapes.
    """
    c, names = coefficients, tuple(spectra)
    at_start = nonlinear(spectra, t)
    a = {n: c[n].half * spectra[n] + c[n].inner * at_start[n] for n in names}  # (26)
    at_a = nonlinear(a, t + 0.5 * dt)
    b = {n: c[n].half * spectra[n] + c[n].inner * at_a[n] for n in names}  # (27)
    at_b = nonlinear(b, t + 0.5 * dt)
    end = {n: c[n].half * a[n] + c[n].inner * (2 * at_b[n] - at_start[n]) for n in names}  # (28)
    at_end = nonlinear(end, t + dt)
    return {  # (29)
        n: c[n].whole * spectra[n]
        + c[n].first * at_start[n]
        + c[n].middle * (at_a[n] + at_b[n])
        + c[n].last * at_end[n]
        for n in names
    }


_PHI3 = tuple(1 / math.factorial(j + 3) for j in range(18))
"""Taylor coefficients of φ₃, exact to rounding for |z| < 1."""
