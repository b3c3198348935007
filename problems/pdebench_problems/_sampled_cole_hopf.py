"""Cole–Hopf's solution of Burgers' equation for any initial state, from its values on a grid.

This is how found initial states are carried; `_cole_hopf`, for states of a few modes, is the truth.
With u₀ = c + v, Φ the antiderivative of v, X = x − ct and F(y) = Φ(y) + (X − y)²/2t (Hopf 1950,
doi:10.1002/cpa.3160030302, eq. 8, with u₀ in the numerator as explained in `_cole_hopf`)

    u(x, t) = c + Σ v(y) e^{−F/2ν} / Σ e^{−F/2ν},    summed over the cell centres y, unrolled.

The trapezoid rule converges faster than any power of the spacing once that resolves v and the
Gaussian, whose width is √(2ν/(1/t + max v′)) at least. Shocks need no cells of their own, and no
time steps are taken: that is what makes it several times cheaper than marching.

**Window.** F has a minimum at some y* where v(y*) = (X − y*)/t; beyond the interval of such y, and
with s = 2√(νt), it grows by (distance)²/2t (see `_cole_hopf`). Also F(y) ≥ min Φ + (X − y)²/2t and
F(y*) ≤ F(X) ≤ max Φ, so that nodes further than √(2t(max Φ − min Φ) + s²d²) from X weigh less than
e^{−d²} of the peak. Both bounds hold, and the nearer one is taken. What is left out is a fraction
√(1 + t max v′) e^{−d²}/d√π of the integral, as there.
"""

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

from pdebench_lite.errors import DivergedError
from pdebench_lite.numerics import Grid, fourier_basis, spectral_derivative, wavenumbers
from pdebench_lite.problem.carrying import TooMuchWorkError

_TAIL = 1e-3  # what the windows leave out, in units of the tolerance
_CHUNK = 1 << 17  # points × nodes held at once: 1 MB an array, which a core's cache holds
_MOST_NODES = 1 << 15  # in the window of one point


def carried_by_cole_hopf(
    u: Float[np.ndarray, " cells"],
    nu: float,
    grid: Grid,
    x: Float[np.ndarray, " nx"],
    t: Float[np.ndarray, " nt"],
    tolerance: float,
) -> Float[np.ndarray, "nx nt"]:
    """Return u(x, t) of u_t + u u_x = ν u_xx.

    Args:
        u: the initial state on the centres of the grid.
        nu: ν > 0.
        grid: a periodic grid on a line.
        x: places.
        t: times since the initial state, 0 or more.
        tolerance: relative error that may be made by leaving out distant nodes, times 1000.

    Raises:
        DivergedError: ν is not positive.
        TooMuchWorkError: the state is so large that a window holds too many nodes.
    """
    if not nu > 0:
        raise DivergedError(f"a state cannot be carried with nu = {nu:g}: it must be positive")
    mean = float(np.mean(u))
    v, h = u - mean, grid.spacing[grid.axes[0]]
    potential = _antiderivative(v, grid)
    below, above = _windows(v, potential, nu, grid, t, tolerance)
    nodes = ((below + above) / h).astype(int) + 2
    if nodes.max() > _MOST_NODES:
        size = float(np.max(np.abs(u)))
        raise TooMuchWorkError(
            f"carrying a state of size {size:.3g} would take {nodes.max()} nodes for each point"
        )
    centre, unrolled = grid.lower[0] + 0.5 * h, np.arange(v.size + nodes.max())
    values, heights = (
        sliding_window_view(np.take(a, unrolled, mode="wrap"), nodes.max())
        for a in (v, potential / (2.0 * nu))
    )
    fields = np.empty((x.size, t.size))
    for i, time in enumerate(t):
        if time == 0.0:
            fields[:, i] = (fourier_basis(grid, None, x) @ np.fft.rfft(u)).real
            continue
        places = x - mean * time - centre  # X, from the first centre
        first = np.floor((places - below[i]) / h)  # node of each window
        near, k = np.mod(first, v.size).astype(int), slice(nodes[i])
        fields[:, i] = mean + _means(
            values[:, k], heights[:, k], near, places - h * first, h, 4.0 * nu * float(time)
        )
    return fields


def own_error(height: float, length: float, nu: float, tolerance: float) -> float:
    """Return what rounding and what windows leave out may change, relative to the mean of v.

    Rounding is that of the two terms of the exponent: (max Φ − min Φ)/2ν at most, and some tens
    where weights count.

    Args:
        height: max u₀ − min u₀; then max Φ − min Φ is at most height·length/4.
        length: of the period.
        nu: ν.
        tolerance: as in `carried_by_cole_hopf`.
    """
    eps = float(np.finfo(float).eps)
    return eps * (100.0 + height * length / (4.0 * nu)) + _TAIL * tolerance


def _antiderivative(v: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the periodic antiderivative of zero mean; v has zero mean."""
    k = wavenumbers(grid, like=v)
    spectrum = np.fft.rfft(v)
    spectrum[1:] /= 1j * k[1:]
    spectrum[0] = 0.0
    return np.fft.irfft(spectrum, n=v.size)


def _windows(
    v: np.ndarray, potential: np.ndarray, nu: float, grid: Grid, t: np.ndarray, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far below and above X the nodes must reach at each time, (nt,) both."""
    steepest = max(float(np.max(spectral_derivative(v, grid))), 0.0)
    tails = 4.0 * nu * t * np.log(np.sqrt(1.0 + t * steepest) / (_TAIL * tolerance))  # s²d²
    far = np.sqrt(2.0 * t * np.ptp(potential) + tails)
    beyond = np.sqrt(tails)
    return np.minimum(t * np.max(v) + beyond, far), np.minimum(-t * np.min(v) + beyond, far)


def _means(
    values: np.ndarray,
    heights: np.ndarray,
    windows: np.ndarray,
    places: np.ndarray,
    h: float,
    spread: float,
) -> Float[np.ndarray, " nx"]:
    """Return means of values with the weights exp(−height − distance²/spread).

    Args:
        values: at the nodes of each window, (cells, nodes).
        heights: the same.
        windows: the window of each place, (nx,).
        places: each counted from the first node of its window, (nx,).
        h: distance of two nodes.
        spread: see above.
    """
    nodes = values.shape[1]
    means, along = np.empty(places.size), h * np.arange(nodes)
    rows = max(1, _CHUNK // nodes)
    for start in range(0, places.size, rows):
        part = slice(start, start + rows)
        weights = places[part, None] - along  # (rows, nodes), all in place from here
        weights *= weights
        weights /= -spread
        weights -= heights[windows[part]]
        weights -= weights.max(axis=1, keepdims=True)
        np.exp(weights, out=weights)
        total = weights.sum(axis=1)
        means[part] = np.einsum("ij,ij->i", weights, values[windows[part]]) / total
    return means
