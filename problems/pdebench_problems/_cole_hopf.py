"""Certified reference of Burgers' equation, u_t + u u_x = ν u_xx, 2-periodic, by Cole–Hopf.

Let the mean of u₀ be zero (a mean c is a Galilean shift: u(x, t) = c + v(x − ct, t)) and let Φ be
an antiderivative of u₀. Hopf (1950, doi:10.1002/cpa.3160030302, eq. 8) and Cole (1951) give

    u(x, t) = ∫ u₀(y) e^{−F/2ν} dy / ∫ e^{−F/2ν} dy,    F(y) = Φ(y) + (x − y)²/2t.         (1)

The textbooks write (x − y)/t in the place of u₀(y). The two differ by ∫ ∂_y e^{−F/2ν} dy = 0, and
only (1), a mean of u₀, keeps its digits as t → 0. In w = x − y both integrands are entire and decay
like a Gaussian, so that the trapezoid rule converges faster than any power of its step.

**Window.** e^{−F/2ν} peaks at some y* where u₀(y*) = w/t, so t·min u₀ ≤ w ≤ t·max u₀. A distance δ
beyond that interval, |F′| ≥ δ/t and hence F ≥ F(y*) + δ²/2t. With δ = s·d, s = 2√(νt), both tails
are below e^{−d²} s/d of the peak, while F ≤ F(y*) + (1/t + max u₀′)(y − y*)²/2 bounds the integral
from below by s√π/√(1 + t max u₀′) of it. So the tails are a fraction √(1 + t max u₀′) e^{−d²}/d√π.

**Step.** The error of a trapezoid with step h is at most 2 ∫|g(w + ia)| dw / (e^{2πa/h} − 1) for
every a > 0 (Trefethen & Weideman 2014, doi:10.1137/130932132, theorem 5.1). Off the real axis
Re Φ(y + ia) ≥ Φ(y) − D(a)a²/2, D(a) = max of Re u₀′ over |Im y| ≤ a (attained at |Im y| = a: it is
harmonic), so that the error is a fraction 2 exp[a²(1/t + D(a))/4ν − 2πa/h] of the integral; for the
numerator times max |u₀(y + ia)|. That is a formula for h; `_step` takes the best a.

**Cost.** cos mπ(x − w) and sin mπ(x − w) are bilinear in the harmonics of x and of w. So, for
all points that share a set of nodes, the exponents are one matrix product and the means another.

**Rounding.** The exponents are some hundreds, and their absolute error is the relative one of u. So
both factors of their product are computed in the machine's extended precision and split into a
high part of few digits, whose products are exact in float64, and a low part (Ozaki, Ogita, Oishi &
Rump 2012, doi:10.1007/s11075-011-9478-1). Where `np.longdouble` is no longer than a float64, the
bound is some five times larger, and says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log, pi, sqrt
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from pdebench_lite.errors import PdebenchError
from pdebench_problems._fourier import fourier

_SMALL = 1e-18  # error of the trapezoid relative to the integral: below rounding
_TAIL = 6.5  # d above: e^{−d²} = 4e-19
_BIN = 1.2  # times within this factor share their nodes
_NOW = 1e-290  # times up to this one are 0 (1/t overflows near 1e-308)
_CHUNK = 1 << 18  # points × nodes held at once: 2 MB, which a core's cache holds
_Long = np.longdouble
_PI = 4 * np.arctan(_Long(1))
MODES = 8
"""Fourier modes of a random initial state."""
_HIGH = 23  # bits: products of two such numbers can be summed 64 times without rounding


@dataclass(frozen=True)
class ColeHopf:
    """Solution of u_t + u u_x = ν u_xx on [−1, 1], periodic, for a trigonometric initial state.

    u(x, 0) = mean + Σ_m sine[m−1] sin mπx + cosine[m−1] cos mπx. Verified for 1e-3 ≤ ν ≤ 1,
    t ≤ 2 and amplitudes of order one; smaller ν costs more nodes (∝ ν^{−1/2}) and digits (∝ 1/ν).
    The error is relative to the size of u₀: a state that diffusion has nearly erased (ν = 1, t = 2
    leaves 3e-9 of −sin πx) keeps as many digits less.

    Attributes:
        nu: viscosity ν > 0.
        mean: mean of the initial state.
        sine, cosine: amplitudes of the modes 1, 2, …; either may be the shorter.
    """

    nu: float
    mean: float = 0.0
    sine: tuple[float, ...] = ()
    cosine: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.nu > 0:
            raise PdebenchError(f"nu={self.nu} must be positive: Cole–Hopf divides by it")

    def initial(self, x: Any) -> Any:
        """Return u(x, 0); `x` is an array of any backend and shape, or a jet."""
        return fourier(x, self.mean, self.sine, self.cosine, period=2.0)

    def evaluate(self, x: ArrayLike, t: ArrayLike) -> Float[np.ndarray, "*shape"]:
        """Return u at points x and times t ≥ 0, which are broadcast against each other.

        Where t = 0 that is `initial(x)` to the last bit. Points whose times agree within 20% share
        their work. Memory beyond the arrays themselves: some 150 bytes a point and 10 MB.
        """
        return self._evaluate(x, t)

    def bound(self, horizon: float) -> float:
        """Return a bound on the error of `evaluate` for 0 ≤ t ≤ horizon, relative to the rms of u.

        Computed, not asserted: at some 200 points, half of them in the steepest fronts of twelve
        times, the largest difference between `evaluate` and a trapezoid with twice the nodes and
        tails half as long again, doubled because other points may be worse, plus what rounding may
        have done to both alike (`_rounding`). It bounds the largest error, hence the L2 error.
        """
        x, t = np.empty((2, 12, 18))
        fine = np.linspace(-1.0, 1.0, 1025)
        parts = (1e-6, 1e-3, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0)
        for i, part in enumerate(parts):
            t[i] = part * horizon
            x[i, :9] = fine[np.argsort(np.diff(self.evaluate(fine, t[i, 0])))[:36:4]]
            x[i, 9:] = np.linspace(-1.0, 1.0, 9, endpoint=False) + part
        u = self.evaluate(x, t)
        error = 2 * abs(self._evaluate(x, t, refine=2.0, widen=1.5) - u) + self._rounding(x, t, u)
        field = self.evaluate(fine[:-1:8], np.linspace(0.0, horizon, 21)[:, None])
        scale = float(np.sqrt(np.mean(field**2)))
        return float(np.max(error)) / scale if scale else 0.0

    # ---- the quotient of integrals -----------------------------------------------------------

    def _evaluate(
        self, x: ArrayLike, t: ArrayLike, refine: float = 1.0, widen: float = 1.0
    ) -> np.ndarray:
        """Evaluate with `refine` times the density of nodes and tails `widen` times as long."""
        x, t = np.broadcast_arrays(np.asarray(x, float), np.asarray(t, float))
        if not np.all(t >= 0):
            raise PdebenchError(f"t={np.min(t)}: Burgers' equation runs forward only; give t ≥ 0")
        place, time = x.ravel(), t.ravel()
        u = self.initial(place)
        for rows in _similar(time):
            now = time[rows].astype(_Long)
            u[rows] = self.mean + self._quotient(place[rows] - self.mean * now, now, refine, widen)
        return u.reshape(x.shape)

    def _quotient(
        self, x: np.ndarray, t: np.ndarray, refine: float, widen: float
    ) -> Float[np.ndarray, " n"]:
        """Return (1) for the zero-mean part at points of similar times, on nodes w = s z.

        `x` and `t` are of extended precision, shape (n,).
        """
        _, sine, cosine = self._modes
        wave = _PI * np.arange(1, sine.size + 1)
        s, (lower, upper) = 2 * np.sqrt(self.nu * t.max()), self._range
        step = self._step(t.min()) / (s * refine)
        first = np.floor((lower * t.max() / s - _TAIL * widen) / step)
        last = np.ceil((upper * t.max() / s + _TAIL * widen) / step)
        z = step * np.arange(first, last + 1).astype(_Long)  # (k,)
        reach = np.max(z**2)
        angle = np.outer(wave, s * z)
        nodes = np.vstack([np.cos(angle), np.sin(angle), z**2 / reach])  # (2M + 1, k)

        # u₀(x − w) = Σ p cos mπw + q sin mπw and Φ(x − w) = Σ (q cos mπw − p sin mπw)/mπ.
        angle = np.outer(np.remainder(x + 1, 2) - 1, wave)
        p = sine * np.sin(angle) + cosine * np.cos(angle)  # (n, M)
        q = cosine * np.sin(angle) - sine * np.cos(angle)
        values = np.hstack([p, q]).astype(float)
        potential = np.hstack([-q, p]) / (2 * self.nu * np.tile(wave, 2))
        exponents = np.column_stack([potential, -reach * (t.max() / t)])  # (n, 2M + 1)

        u = np.empty(x.shape)
        (high, low), (high_nodes, low_nodes) = _split(exponents), _split(nodes)
        sums = np.vstack([nodes[:-1].astype(float), np.ones(z.size)])
        for begin in range(0, x.size, max(1, _CHUNK // z.size)):
            part = slice(begin, begin + max(1, _CHUNK // z.size))
            weights = high[part] @ high_nodes  # exact, (points, k)
            weights -= weights.max(axis=1, keepdims=True)
            weights += high[part] @ low_nodes + low[part] @ (high_nodes + low_nodes)
            moments = np.exp(weights, out=weights) @ sums.T  # (points, 2M + 1)
            u[part] = np.sum(values[part] * moments[:, :-1], axis=1) / moments[:, -1]
        return u

    def _step(self, t: float) -> float:
        """Return a step in w that is fine enough for all times from t on."""
        reach, slope, size = self._strips
        need = np.log(2 * np.maximum(1.0, size) / _SMALL)
        curvature = (1 / t + slope) / (4 * self.nu)
        a = np.minimum(reach, np.sqrt(need / curvature))
        return float(np.max(2 * pi * a / (need + curvature * a**2)))

    def _rounding(self, x: np.ndarray, t: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Return what rounding may do to u at points x, t.

        Relative errors ≤ η of the weights move the mean of u₀ by at most ησ, where its variance σ²
        follows from ∂u/∂x = (mean of u₀′) − σ²/2ν. η is the rounding, in extended precision, of the
        two terms of the exponent, and in float64 of their sum relative to its largest, of which
        only the part within a few units of it counts. The terms of Φ sum to R at most and, where
        the weights peak, w²/2t ≤ Φ(x) − Φ(y) ≤ 2R, for there F(y) ≤ F(x); also
        w²/2t ≤ t max u₀²/2. Rounding x − mean·t moves the solution by a few ulp of its argument,
        rounding w moves the argument of u₀, and |w| ≲ t max |u₀| + 2√(νt). In float64 remain the
        values of u₀ and their mean.
        """
        wave, sine, cosine = self._modes
        dx = 0.1 * self.nu  # fronts are some 4ν wide
        slope = (self.evaluate(x + dx, t) - self.evaluate(x - dx, t)) / (2 * dx)
        variance = 2 * self.nu * np.maximum(self._strips[1][0] - slope, 0.0)
        size = np.hypot(sine, cosine)
        potential = float(np.sum(size / wave))
        reach = t * max(map(abs, self._range))
        kinetic = np.minimum(2 * potential, reach**2 / (2 * t))
        weights = 2 * np.sqrt(variance) * (potential + kinetic) / (2 * self.nu)
        shift = (1 + abs(self.mean) * t) * abs(slope)
        nodes = (reach + 2 * np.sqrt(self.nu * t)) * float(np.sum(size * wave))
        short = 8 * np.sqrt(variance) + 2 * (abs(u) + float(np.sum(size)))
        long_eps, eps = float(np.finfo(_Long).eps), float(np.finfo(float).eps)
        return long_eps * (weights + shift + nodes) + eps * short

    # ---- what is known of the initial state --------------------------------------------------

    @cached_property
    def _modes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Wavenumbers mπ and amplitudes of sine and cosine, (M,) each, M ≥ 1."""
        count = max(len(self.sine), len(self.cosine), 1)
        sine, cosine = (
            np.pad(np.asarray(a, float), (0, count - len(a))) for a in (self.sine, self.cosine)
        )
        return pi * np.arange(1, count + 1), sine, cosine

    @cached_property
    def _range(self) -> tuple[float, float]:
        """Bounds on the zero-mean part of u₀."""
        u, _ = self._continued(np.zeros(1))
        return -float(_peak(-u.real)[0]), float(_peak(u.real)[0])

    @cached_property
    def _strips(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Half-widths a of strips, and over each the maxima of Re u₀′ and of |u₀|/rms u₀."""
        wave, sine, cosine = self._modes
        a = np.geomspace(0.02, 30.0, 64) / wave[-1]
        u, slope = self._continued(a)
        rms = sqrt(np.sum(sine**2 + cosine**2) / 2) or 1.0
        return a, _peak(slope.real), _peak(abs(u)) / rms

    def _continued(self, a: Float[np.ndarray, " a"]) -> tuple[np.ndarray, np.ndarray]:
        """Return the zero-mean u₀ and u₀′ on the lines Im y = a, at 64 points a wavelength."""
        wave, sine, cosine = self._modes
        y = np.linspace(-1.0, 1.0, 64 * wave.size, endpoint=False)
        ahead = np.exp(1j * np.outer(wave, y))  # (M, y)
        falling = (cosine - 1j * sine) / 2 * np.exp(-np.outer(a, wave))  # (a, M)
        rising = (cosine + 1j * sine) / 2 * np.exp(np.outer(a, wave))
        u = falling @ ahead + rising @ ahead.conj()  # (a, y)
        return u, 1j * ((wave * falling) @ ahead - (wave * rising) @ ahead.conj())


def random_modes(
    rng: np.random.Generator,
) -> tuple[float, tuple[float, ...], tuple[float, ...]]:
    """Draw the random initial state of the benchmark: (mean, sine, cosine).

    Modes m = 1 … 8 with amplitudes N(0, 1)/m, scaled to the rms of −sin πx, √½, and a mean from
    U(−½, ½). All numbers are Python floats.
    """
    sine, cosine = rng.standard_normal((2, MODES)) / np.arange(1, MODES + 1)
    scale = 1 / sqrt(np.sum(sine**2 + cosine**2))
    mean = float(rng.uniform(-0.5, 0.5))
    return mean, tuple((scale * sine).tolist()), tuple((scale * cosine).tolist())


def _split(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a = high + low in float64, where `high` holds `_HIGH` bits below the largest |a|."""
    unit = 2.0 ** (np.ceil(np.log2(float(np.max(abs(a))) or 1.0)) - _HIGH)
    high = np.rint(a / unit) * unit
    return high.astype(float), (a - high).astype(float)


def _similar(t: Float[np.ndarray, " n"]) -> Iterator[np.ndarray]:
    """Yield index arrays that group the entries of t > `_NOW` by factors of `_BIN`."""
    positive = np.flatnonzero(t > _NOW)
    label = np.floor(np.log(t[positive]) / log(_BIN))
    order = np.argsort(label, kind="stable")
    if order.size:
        yield from np.split(positive[order], np.flatnonzero(np.diff(label[order])) + 1)


def _peak(p: Float[np.ndarray, "a y"]) -> Float[np.ndarray, " a"]:
    """Bound max p of a real trigonometric polynomial by samples at 64 points a wavelength.

    At its peak p′ = 0 and by Bernstein |p″| ≤ M² max |p| in the angle πy, of which the nearest
    sample is at most π/64M away: (π/64)²/2 = 0.0012.
    """
    return np.max(p, axis=1) + 0.0013 * np.max(abs(p), axis=1)
