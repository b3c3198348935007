"""Jets: truncated multivariate Taylor arithmetic on arrays of any backend.

A jet is a function u of some variables, (x, t) say, known at every point of an array by its Taylor
coefficients

    c_α = ∂^α u / α!        for all multi-indices α of a finite, downward-closed set,

so that sums, products and elementary functions of jets are exact up to the order that was asked
for. A network applied to jets gives u, u_x, u_t and u_xx in *one* forward pass, and the backend's
own autodiff differentiates that pass with respect to the weights:

    space = jets.space(("x", "t"), ("x", "xx", "t"))            # once, outside compiled code
    at = jets.variables(space, {"x": x, "t": t})                # x, t: (n,)
    h = jets.stack([at["x"], at["t"]])                          # features × points: (2, n)
    for W, b in layers[:-1]:
        h = jets.tanh(jets.linear(W, h, b))
    u = jets.linear(*last, h)[0]
    d = jets.derivatives(u, ("", "x", "xx", "t"))
    residual = d["t"] + d[""] * d["x"] - nu * d["xx"]

Three rules make this fast: one matrix product per coefficient, nothing concatenated; absent
coefficients are zero and never computed; a coefficient is a Python float where it can be (the
seeds ∂x/∂x = 1), and may have length one along an axis where it is constant, so the first layer's
derivatives cost one column instead of n.

Jets combine with jets and Python floats only. An array is wrapped first, `jets.constant(space, a)`:
neither `array * jet` nor its order of dispatch would mean the same in the three backends. Python
floats keep float32 coefficients in float32; `numpy.float64` scalars are taken as Python floats.

`Jet.__array_namespace__` returns this module: code that asks its argument for the namespace, and
calls `xp.sin`, runs on arrays and on jets alike.

Sources: A. Griewank and A. Walther, *Evaluating Derivatives*, 2nd ed. (SIAM 2008), chapter 13
(propagation rules of table 13.1, doi:10.1137/1.9780898717761.ch13); J. Bettencourt, M. J. Johnson,
D. Duvenaud, "Taylor-mode automatic differentiation for higher-order derivatives in JAX" (2019).
"""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import e, factorial, pi
from types import ModuleType
from typing import Any, TypeAlias

from pdebench_lite.numerics._namespace import library_of

__all__ = [
    "Jet",
    "Space",
    "concat",
    "constant",
    "cos",
    "cosh",
    "derivatives",
    "e",
    "exp",
    "gelu",
    "linear",
    "log",
    "ones_like",
    "pi",
    "sigmoid",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "space",
    "sqrt",
    "square",
    "stack",
    "tanh",
    "variables",
    "zeros_like",
]

Array: TypeAlias = Any
"""An array of NumPy, torch or JAX, or a Python float that stands for one."""
Index: TypeAlias = tuple[int, ...]
"""A multi-index α: how often each variable is differentiated."""
Coefficients: TypeAlias = dict[Index, Array]
Series: TypeAlias = tuple[Array, Array, list[Array]]
"""(f, scale, [g₁, g₂, …]): the Taylor coefficients of a function at c₀ are f and scale·g_k."""


# ------------------------------------------------------------------------------- spaces


@dataclass(frozen=True)
class Space:
    """Which derivatives a jet keeps: a downward-closed set of multi-indices. Made by `space`.

    Attributes:
        variables: one letter per variable, the order of the multi-indices' entries.
        indices: the multi-indices, by total order; the first is zero (the value itself).
        products: for every index α all pairs (β, γ) of kept indices with β + γ = α.
    """

    variables: tuple[str, ...]
    indices: tuple[Index, ...]
    products: dict[Index, tuple[tuple[Index, Index], ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        table = {
            alpha: tuple((beta, _minus(alpha, beta)) for beta in _below(alpha))
            for alpha in self.indices
        }
        object.__setattr__(self, "products", table)

    @property
    def names(self) -> tuple[str, ...]:
        """The kept derivatives as words: `("", "x", "t", "xx")`, "" being the value."""
        return tuple(
            "".join(v * k for v, k in zip(self.variables, alpha, strict=True))
            for alpha in self.indices
        )

    def index(self, name: str) -> Index:
        """Give the multi-index of a derivative, `"xx"` -> `(2, 0)`; letters come in any order.

        Raises:
            ValueError: the derivative is outside the truncation.
        """
        alpha = tuple([name.count(v) for v in self.variables])
        if sum(alpha) != len(name) or alpha not in self.indices:
            raise ValueError(
                f"derivative {name!r} is not kept by this space, which keeps {self.names} "
                f"of the variables {self.variables}: ask for it in jets.space(variables, "
                "derivatives)"
            )
        return alpha


def space(variables: Iterable[str], derivatives: Iterable[str]) -> Space:
    """Make the smallest space that holds the asked derivatives and is closed under products.

    The closure of `("x", "xx", "t")` is `("", "x", "t", "xx")`: no mixed derivative and no `tt`
    is ever computed. Call it outside compiled functions (it is cached; Dynamo ignores caches).

    Args:
        variables: one letter each, `("x", "t")`.
        derivatives: words over the variables, `("x", "xxt")`; any order, tested up to four.

    Raises:
        ValueError: a variable is not a single letter or comes twice, or a derivative names another.
    """
    return _space(tuple(variables), tuple(derivatives))


@lru_cache(maxsize=256)
def _space(variables: tuple[str, ...], derivatives: tuple[str, ...]) -> Space:
    if len(set(variables)) != len(variables) or any(len(v) != 1 for v in variables):
        raise ValueError(f"variables must be different single letters, got {variables}")
    for name in derivatives:
        if unknown := sorted(set(name) - set(variables)):
            raise ValueError(
                f"derivative {name!r} names the unknown variable {', '.join(unknown)}; "
                f"the variables are {variables}"
            )
    asked = [tuple(name.count(v) for v in variables) for name in ("", *derivatives)]
    closure = {beta for alpha in asked for beta in _below(alpha)}
    return Space(variables, tuple(sorted(closure, key=lambda a: (sum(a), [-k for k in a]))))


def _below(alpha: Index) -> Iterator[Index]:
    """All multi-indices β ≤ α."""
    return product(*(range(k + 1) for k in alpha))


def _minus(alpha: Index, beta: Index) -> Index:
    return tuple(a - b for a, b in zip(alpha, beta, strict=True))


# --------------------------------------------------------------------------------- jets


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Jet:
    """Taylor coefficients of one function (or of a stack of them) at every point of an array.

    Attributes:
        space: the truncation; jets of different spaces do not mix.
        coefficients: index α -> ∂^α u / α!. The value, α = 0, is always there; an absent index
            is zero. Every coefficient broadcasts to the shape of the value.
    """

    space: Space
    coefficients: Coefficients

    __array_ufunc__ = None  # NumPy arrays leave the operators below to us

    def __array_namespace__(self, *, api_version: str | None = None) -> ModuleType:
        """Return this module, so that `xp = array_namespace(x); xp.sin(x)` works on jets."""
        return sys.modules[__name__]

    @property
    def value(self) -> Array:
        """The zeroth coefficient: the function itself."""
        return self.coefficients[self.space.indices[0]]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value (of a Python float: ())."""
        return () if type(self.value) is float else tuple(self.value.shape)

    def derivative(self, name: str) -> Array:
        """∂^α u (not divided by α!), of the value's shape; zeros if it vanishes identically.

        Args:
            name: a word over the variables, `"xxt"`; `""` is the value.

        Raises:
            ValueError: the derivative is outside the truncation.
        """
        alpha = self.space.index(name)
        scale = float(math.prod([factorial(k) for k in alpha]))
        return _spread(_times(scale, self.coefficients.get(alpha, 0.0)), self.value)

    def _map(self, function: Callable[[Array], Array]) -> "Jet":
        """Apply a linear function to each coefficient."""
        return Jet(self.space, {alpha: function(c) for alpha, c in self.coefficients.items()})

    def _operand(self, other: object) -> "Jet | float":
        """Check the other side of an operator: a jet of the same space or a number."""
        if isinstance(other, Jet):
            if other.space is not self.space and other.space != self.space:
                raise ValueError(
                    "jets of different spaces do not mix: "
                    f"{self.space.variables} keeping {self.space.names} and "
                    f"{other.space.variables} keeping {other.space.names}"
                )
            return other
        if isinstance(other, (int, float)):
            return float(other)
        raise TypeError(
            "a jet combines with jets and Python floats only, got "
            f"{type(other).__name__}: wrap it with jets.constant(space, array)"
        )

    def _lift(self, other: object) -> "Jet":
        operand = self._operand(other)
        return operand if isinstance(operand, Jet) else constant(self.space, operand)

    def __getitem__(self, key: Any) -> "Jet":
        """Take rows (features) or points: `jet[0]`, `jet[:, :10]`, as on the value's array."""
        return self._map(lambda c: _spread(c, self.value)[key])

    def __iter__(self) -> Iterator["Jet"]:
        return (self[i] for i in range(self.shape[0]))

    def __repr__(self) -> str:
        names = [n for n in self.space.names if self.space.index(n) in self.coefficients]
        return f"Jet(shape={self.shape}, coefficients={names})"

    def __pos__(self) -> "Jet":
        return self

    def __neg__(self) -> "Jet":
        return self._map(lambda c: -c)

    def __add__(self, other: "Jet | float") -> "Jet":
        return _sum(self, self._operand(other))

    __radd__ = __add__

    def __sub__(self, other: "Jet | float") -> "Jet":
        return _sum(self, self._operand(other), minus=True)

    def __rsub__(self, other: "Jet | float") -> "Jet":
        return _sum(self._lift(other), self, minus=True)

    def __mul__(self, other: "Jet | float") -> "Jet":
        factor = self._operand(other)
        if not isinstance(factor, Jet):
            return self._map(lambda c: _times(factor, c))
        if factor is self:
            return square(self)
        return Jet(self.space, _product(self.space, self.coefficients, factor.coefficients))

    __rmul__ = __mul__

    def __truediv__(self, other: "Jet | float") -> "Jet":
        divisor = self._operand(other)
        if not isinstance(divisor, Jet):
            return self._map(lambda c: c / divisor)
        return _quotient(self, divisor)

    def __rtruediv__(self, other: "Jet | float") -> "Jet":
        return _quotient(self._lift(other), self)

    def __pow__(self, exponent: float) -> "Jet":
        """Powers: whole exponents by squaring (any base), others by the binomial series."""
        if not isinstance(exponent, (int, float)):
            raise TypeError(
                "the exponent of a jet must be a Python int or float, got "
                f"{type(exponent).__name__}; write jets.exp(b * jets.log(a)) for a power of jets"
            )
        p = float(exponent)
        if p == int(p):
            return _whole_power(self, int(p))
        return sqrt(self) if p == 0.5 else _compose(self, lambda xp, c, n: _binomial(c, p, n))


def variables(space: Space, points: Mapping[str, Array]) -> dict[str, Jet]:
    """Seed the coordinates: each has its points as value and 1 as its own first derivative.

    Args:
        space: the truncation.
        points: variable -> its values, any shapes that broadcast with each other (or a float).

    Raises:
        ValueError: a name is not among the space's variables.
    """
    if unknown := [name for name in points if name not in space.variables]:
        raise ValueError(
            f"unknown variable {', '.join(unknown)}: this space has {', '.join(space.variables)}"
        )
    seeded = {}
    for name, values in points.items():
        alpha = tuple([int(name == v) for v in space.variables])
        seed = {alpha: 1.0} if alpha in space.indices else {}
        seeded[name] = Jet(space, {space.indices[0]: values, **seed})
    return seeded


def constant(space: Space, value: Array) -> Jet:
    """Wrap an array or a number as the jet whose derivatives all vanish."""
    number = isinstance(value, (int, float))
    return Jet(space, {space.indices[0]: float(value) if number else value})


def derivatives(jet: Jet, names: Iterable[str]) -> dict[str, Array]:
    """Take several derivatives by name, `{"": u, "xx": u_xx}`; see `Jet.derivative`."""
    return {name: jet.derivative(name) for name in names}


# ------------------------------------------------------------------- layers and shapes


def linear(weight: Array, jet: Jet, bias: Array | None = None) -> Jet:
    """W·h + b for features × points: one matrix product per coefficient that is there.

    Args:
        weight: (out, in).
        jet: (in, n), or (in,) for a single point.
        bias: (out,), added to the value only.

    Raises:
        ValueError: the jet is not an array of features.
    """
    if not (shape := jet.shape):
        raise ValueError("jets.linear needs features × points; put jets together by jets.stack")
    columns = jet._map(lambda c: c if _has_features(c, shape) else _spread(c, jet.value))
    out = columns._map(lambda c: weight @ c)
    if bias is None:
        return out
    shift = bias if len(shape) == 1 else bias[..., None]
    return Jet(jet.space, {**out.coefficients, jet.space.indices[0]: out.value + shift})


def stack(jets: Sequence[Jet], axis: int = 0) -> Jet:
    """Stack jets of one shape (up to broadcasting) as the features of one: k × (n,) -> (k, n)."""
    space, xp, like = _common(jets)
    values = xp.broadcast_arrays(*[_spread(jet.value, like) for jet in jets])
    point = values[0][(slice(0, 1),) * len(values[0].shape)]
    out = {space.indices[0]: xp.stack(values, axis=axis)}
    for alpha in space.indices[1:]:
        parts = [jet.coefficients.get(alpha, 0.0) for jet in jets]
        if all(type(c) is float for c in parts):  # one column, broadcast over the points
            if any(parts):
                out[alpha] = xp.stack([xp.full_like(point, c) for c in parts], axis=axis)
        else:
            out[alpha] = xp.stack([_spread(c, values[0]) for c in parts], axis=axis)
    return Jet(space, out)


def concat(jets: Sequence[Jet], axis: int = 0) -> Jet:
    """Put blocks of features together: (k, n), (m, n) -> (k + m, n)."""
    space, xp, _ = _common(jets)
    out = {}
    for alpha in space.indices:
        if any(alpha in jet.coefficients for jet in jets):
            parts = [_spread(jet.coefficients.get(alpha, 0.0), jet.value) for jet in jets]
            out[alpha] = xp.concat(parts, axis=axis)
    return Jet(space, out)


def zeros_like(jet: Jet) -> Jet:
    """Make the constant 0 in the jet's shape."""
    return constant(jet.space, _spread(0.0, jet.value))


def ones_like(jet: Jet) -> Jet:
    """Make the constant 1 in the jet's shape."""
    return constant(jet.space, _spread(1.0, jet.value))


# ----------------------------------------------------------------- elementary functions


def square(x: Jet) -> Jet:
    """Compute x² with half the products of x·x."""
    return Jet(x.space, _square(x.space, x.coefficients))


def exp(x: Jet) -> Jet:
    """Compute e^x."""

    def series(xp: Any, c: Array, order: int) -> Series:
        f = xp.exp(c)
        return f, f, [1.0 / factorial(k) for k in range(1, order + 1)]

    return _compose(x, series)


def log(x: Jet) -> Jet:
    """Compute the natural logarithm."""

    def series(xp: Any, c: Array, order: int) -> Series:
        r = 1.0 / c
        return xp.log(c), r, _geometric(-r, [1.0 / k for k in range(1, order + 1)])

    return _compose(x, series)


def sqrt(x: Jet) -> Jet:
    """Compute the square root; at zero its derivatives are infinite."""

    def series(xp: Any, c: Array, order: int) -> Series:
        f = xp.sqrt(c)
        ratios = [2.0 * _choose(0.5, k) for k in range(1, order + 1)]
        return f, 0.5 / f, _geometric(1.0 / c, ratios)

    return _compose(x, series)


def sin(x: Jet) -> Jet:
    """Compute the sine."""
    return _compose(x, lambda xp, c, n: _cyclic(xp.sin(c), xp.cos(c), -1.0, n))


def cos(x: Jet) -> Jet:
    """Compute the cosine."""
    return _compose(x, lambda xp, c, n: _cyclic(xp.cos(c), -xp.sin(c), -1.0, n))


def sinh(x: Jet) -> Jet:
    """Compute the hyperbolic sine."""
    return _compose(x, lambda xp, c, n: _cyclic(xp.sinh(c), xp.cosh(c), 1.0, n))


def cosh(x: Jet) -> Jet:
    """Compute the hyperbolic cosine."""
    return _compose(x, lambda xp, c, n: _cyclic(xp.cosh(c), xp.sinh(c), 1.0, n))


def tanh(x: Jet) -> Jet:
    """Compute the hyperbolic tangent, evaluated once: f' = 1 − f²."""

    def series(xp: Any, c: Array, order: int) -> Series:
        f = xp.tanh(c)
        slope = 1.0 - f * f
        return f, slope, _riccati(-f, slope, order)

    return _compose(x, series)


def sigmoid(x: Jet) -> Jet:
    """Compute the logistic function 1/(1 + e^−x): f' = f − f²."""

    def series(xp: Any, c: Array, order: int) -> Series:
        f = _logistic(xp, c)
        slope = f - f * f
        return f, slope, _riccati(0.5 - f, slope, order)

    return _compose(x, series)


def softplus(x: Jet) -> Jet:
    """Compute log(1 + e^x) without overflow; its derivative is the logistic function."""

    def series(xp: Any, c: Array, order: int) -> Series:
        zero = 0.0 if xp is math else xp.zeros_like(c)
        f = math.log1p(math.exp(c)) if xp is math else xp.logaddexp(c, zero)
        s = _logistic(xp, c)
        slope = s - s * s
        inner = [s, *(slope * g for g in _riccati(0.5 - s, slope, order - 1))]
        return f, 1.0, [_times(1.0 / k, g) for k, g in enumerate(inner[:order], 1)]

    return _compose(x, series)


def silu(x: Jet) -> Jet:
    """Compute x·sigmoid(x), also called swish."""
    return x * sigmoid(x)


def gelu(x: Jet) -> Jet:
    """Compute GELU in its tanh form, ½x(1 + tanh(√(2/π)(x + 0.044715x³))).

    From Hendrycks and Gimpel (arXiv:1606.08415), section 2. It differs from x·Φ(x) by less than
    5e-4; the array API has no erf. `jax.nn.gelu` has this form by default, torch's `gelu` with
    `approximate="tanh"`.
    """
    inner = math.sqrt(2.0 / pi) * (x + 0.044715 * (x * square(x)))
    return 0.5 * x * (1.0 + tanh(inner))


# ------------------------------------------------------------------------ the arithmetic


def _times(a: Array, b: Array) -> Array:
    """a·b, free where a or b is the number one (seeds and leading series terms)."""
    if type(a) is float and a == 1.0:
        return b
    if type(b) is float and b == 1.0:
        return a
    return a * b


def _total(terms: list[Array]) -> Array:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _sum(a: Jet, b: Jet | float, minus: bool = False) -> Jet:
    """Add, or subtract without a pass for the sign."""
    out = dict(a.coefficients)
    for alpha, c in (b if isinstance(b, Jet) else constant(a.space, b)).coefficients.items():
        if alpha not in out:
            out[alpha] = -c if minus else c
        else:
            out[alpha] = out[alpha] - c if minus else out[alpha] + c
    return Jet(a.space, out)


def _product(space: Space, a: Coefficients, b: Coefficients) -> Coefficients:
    """Leibniz' rule in Taylor coefficients: c_α = Σ a_β b_γ over β + γ = α."""
    out = {}
    for alpha, pairs in space.products.items():
        terms = [_times(a[beta], b[gamma]) for beta, gamma in pairs if beta in a and gamma in b]
        if terms:
            out[alpha] = _total(terms)
    return out


def _square(space: Space, a: Coefficients) -> Coefficients:
    """Multiply a by itself: c_α = 2 Σ_{β<γ} a_β a_γ + a_{α/2}²."""
    out = {}
    for alpha, pairs in space.products.items():
        present = [(beta, gamma) for beta, gamma in pairs if beta in a and gamma in a]
        mixed = [_times(a[beta], a[gamma]) for beta, gamma in present if beta < gamma]
        terms = [2.0 * _total(mixed)] if mixed else []
        terms += [_times(a[beta], a[beta]) for beta, gamma in present if beta == gamma]
        if terms:
            out[alpha] = _total(terms)
    return out


def _quotient(a: Jet, b: Jet) -> Jet:
    """q·b = a solved for q, order by order: q_α = (a_α − Σ_{β<α} q_β b_{α−β}) / b_0."""
    inverse = 1.0 / b.value
    out: Coefficients = {}
    for alpha, pairs in a.space.products.items():
        terms = [
            _times(out[beta], b.coefficients[gamma])
            for beta, gamma in pairs
            if beta in out and gamma in b.coefficients  # not β = α: that one is being computed
        ]
        if alpha in a.coefficients:
            rest = a.coefficients[alpha]
            out[alpha] = _times(rest - _total(terms) if terms else rest, inverse)
        elif terms:
            out[alpha] = -_total(terms) * inverse
    return Jet(a.space, out)


def _whole_power(x: Jet, n: int) -> Jet:
    """x^n by repeated squaring."""
    if n < 0:
        return 1.0 / _whole_power(x, -n)
    if n == 0:
        return ones_like(x)
    if n == 1:
        return x
    root = square(_whole_power(x, n // 2))
    return root * x if n % 2 else root


def _compose(x: Jet, series: Callable[[Any, Array, int], Series]) -> Jet:
    """f∘x = f(c₀) + scale·Σ_k g_k δᵏ with δ = x − c₀, which is nilpotent.

    `series(xp, c₀, order)` returns (f, scale, [g₁ … g_order]), order being the highest power of δ
    that is left by the truncation. Numbers among the g_k, and a common factor taken out as the
    scale, save passes over the arrays.
    """
    if not isinstance(x, Jet):
        raise TypeError(
            f"this function of jets got {type(x).__name__}: wrap it with "
            "jets.constant(space, array), or take the function from the array's own namespace"
        )
    space, zero = x.space, x.space.indices[0]
    delta = {alpha: c for alpha, c in x.coefficients.items() if alpha != zero}
    powers: list[Coefficients] = []
    power = delta
    while power:
        powers.append(power)
        k = len(powers) + 1
        power = _square(space, powers[k // 2 - 1]) if k % 2 == 0 else _product(space, power, delta)
    f, scale, g = series(_namespace(x.value), x.value, len(powers))
    out = {zero: f}
    for alpha in space.indices[1:]:
        pairs = zip(g, powers, strict=True)
        terms = [_times(gk, power[alpha]) for gk, power in pairs if alpha in power]
        if terms:
            out[alpha] = _times(scale, _total(terms))
    return Jet(space, out)


def _cyclic(f: Array, slope: Array, sign: float, order: int) -> Series:
    """Functions with f'' = sign·f: f^(k)/k! is f or f', with signs, over k!."""
    ks = range(1, order + 1)
    return f, 1.0, [_times(sign ** (k // 2) / factorial(k), slope if k % 2 else f) for k in ks]


def _riccati(half: Array, slope: Array, order: int) -> list[Array]:
    """g_k = f^(k)/(k! f') for a function with f' = a + bf − f², from `half` = b/2 − f and f'.

    From f'' = 2·half·f' and so on: (k+1) g_{k+1} = 2·half·g_k − f' Σ_{i=1}^{k−1} g_i g_{k−i}.
    """
    g: list[Array] = [1.0, half][: max(order, 0)]
    for k in range(2, order):
        tail = _total([_times(g[i - 1], g[k - i - 1]) for i in range(1, k)])
        g.append((2.0 / (k + 1)) * (half * g[k - 1]) - (1.0 / (k + 1)) * _times(slope, tail))
    return g


def _geometric(ratio: Array, factors: list[float]) -> list[Array]:
    """factors[k]·ratio^k."""
    out: list[Array] = factors[:1]
    power: Array = 1.0
    for factor in factors[1:]:
        power = _times(power, ratio)
        out.append(factor * power)
    return out


def _binomial(c: Array, p: float, order: int) -> Series:
    """c^p: each power apart, so that c = 0 gives what the derivative is there (0 or infinite)."""
    ks = range(1, order + 1)
    return c**p, 1.0, [_choose(p, k) * c ** (p - k) for k in ks]


def _choose(p: float, k: int) -> float:
    """Compute the binomial coefficient of a real p."""
    return math.prod([(p - i) / (i + 1) for i in range(k)])


def _logistic(xp: Any, c: Array) -> Array:
    """1/(1 + e^−c) in a form that cannot overflow."""
    return 0.5 * xp.tanh(0.5 * c) + 0.5


# --------------------------------------------------------------------------- the arrays


def _namespace(c: Array) -> Any:
    """Find the array API functions for c; `math` for a Python float."""
    return math if type(c) is float else library_of(c)


def _spread(c: Array, like: Array) -> Array:
    """Broadcast the coefficient c to the shape of `like`; a number stays one next to a number."""
    if type(like) is float:
        return c
    xp = _namespace(like)
    if type(c) is float:
        return xp.full_like(like, c)
    return c if c.shape == like.shape else xp.broadcast_to(c, like.shape)


def _has_features(c: Array, shape: tuple[int, ...]) -> bool:
    """Whether c has all the features (rows) of that shape; its points may be one for all."""
    if type(c) is float:
        return False
    own = tuple(c.shape)
    return own == shape or (len(shape) > 1 and own[:-1] == shape[:-1])


def _common(jets: Sequence[Jet]) -> tuple[Space, Any, Array]:
    """Space, namespace and one value that is an array, for jets that are to be put together."""
    arrays = [jet.value for jet in jets if type(jet.value) is not float]
    if not arrays:
        raise ValueError("none of the jets to put together holds an array; give at least one")
    for jet in jets[1:]:
        jets[0]._operand(jet)  # raises if the spaces differ
    return jets[0].space, _namespace(arrays[0]), arrays[0]
