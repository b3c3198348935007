"""Differentiation as a problem of its own: three functions whose derivatives are asked for."""

import itertools
from collections.abc import Mapping
from functools import cached_property
from math import comb, sqrt
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.numerics import array_namespace, jets
from pdebench_lite.problem import Box, Domain, Expression, Problem, Reference
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks.expression import Exact, ExpressionTask

_CHECKED = 4  # points of a network at which the truth is computed
_MOST = 40  # derivatives that are asked for at once: the truth takes its time


class _Certified(ExpressionTask):
    """A task whose truth is computed in extended precision from its own expression."""

    checked: ClassVar[int] = _CHECKED

    def exact(self) -> Exact:
        """Return Taylor coefficients in 40 digits; the bound is their gap to those in 25."""
        from pdebench_problems._extended import certified

        e = self.expression()
        return Exact(*certified(e.function, e.constants, e.points[:, : self.checked], e.asked))


class Slide(_Certified):
    """y = [sin(x₁/x₂) + x₁/x₂ − exp(x₂)]·[x₁/x₂ − exp(x₂)] at x = (1.5, 0.5): value and gradient.

    y = 2.01665, ∂y/∂x₁ = 3.01184, ∂y/∂x₂ = −13.72396. (Printed with four digits and rounded on the
    way, as on lecture slides, these read 2.0167, 3.0118 and −13.7239.) The intermediate variables
    are those of Griewank & Walther 2008, doi:10.1137/1.9780898717761, table 1.1.
    """

    name = "slide"
    summary = "value and gradient of [sin(x₁/x₂) + x₁/x₂ − exp(x₂)]·[x₁/x₂ − exp(x₂)]"

    def expression(self) -> Expression:
        """Return the function of two inputs, at one point."""
        return Expression(_slide, {}, np.array([[1.5], [0.5]]), 1, ((), (0,), (1,)))


class Network(_Certified):
    """Derivatives of one order of a network with one output, as residuals of PDEs need them."""

    class Parameters(Settings):
        """Which derivatives, and the shape of the network."""

        order: int = Field(2, ge=1, le=4, description="order of the derivatives")
        inputs: int = Field(2, ge=1, le=16, description="inputs, the dimension")
        width: int = Field(16, ge=1, le=256, description="neurons per hidden layer")
        depth: int = Field(2, ge=1, le=8, description="hidden layers")
        points: int = Field(1000, ge=1, le=100_000, description="points, one batch")
        partials: Literal["pure", "all"] = Field(
            "pure", description="∂ᵏ/∂xᵢᵏ for each input, or all, mixed ones too"
        )
        instance: int = Field(0, ge=0, description="which random weights and points")

    name = "network"
    summary = "derivatives of one order of a tanh network in several inputs"

    def __init__(self, problem: Problem, parameters: Parameters) -> None:
        super().__init__(problem, parameters)
        p = parameters
        number = comb(p.inputs + p.order - 1, p.order)
        if p.partials == "all" and number > _MOST:
            raise PdebenchError(
                f"partials=all: there are {number} derivatives of order {p.order} in {p.inputs} "
                f"inputs, and at most {_MOST} are certified; lower order or inputs, or take "
                "partials=pure"
            )

    def expression(self) -> Expression:
        """Return the network at its points."""
        return self._expression

    @cached_property
    def _expression(self) -> Expression:
        p = self.parameters
        sizes = (p.inputs, *[p.width] * p.depth, 1)
        weights, points = _draw("network", sizes, p.points, p.instance)
        inputs = range(p.inputs)
        asked = (
            tuple((i,) * p.order for i in inputs)
            if p.partials == "pure"
            else tuple(itertools.combinations_with_replacement(inputs, p.order))
        )
        return Expression(_network, weights, points, 1, asked)


class Jacobian(_Certified):
    """The matrix of first derivatives of a map from n inputs to m outputs, one hidden layer.

    A forward pass gives a column, ∂y/∂xⱼ; a reverse pass a row, ∂yᵢ/∂x.
    """

    class Parameters(Settings):
        """Size of the matrix, m × n."""

        m: int = Field(4, ge=1, le=128, description="outputs: rows of the matrix")
        n: int = Field(4, ge=1, le=128, description="inputs: columns of the matrix")
        width: int = Field(32, ge=1, le=256, description="neurons of the hidden layer")
        points: int = Field(100, ge=1, le=100_000, description="points, one batch")
        instance: int = Field(0, ge=0, description="which random weights and points")

    name = "jacobian"
    summary = "Jacobian matrix of a map from n inputs to m outputs"
    checked = 1

    def expression(self) -> Expression:
        """Return the map at its points."""
        return self._expression

    @cached_property
    def _expression(self) -> Expression:
        p = self.parameters
        weights, points = _draw("jacobian", (p.n, p.width, p.m), p.points, p.instance)
        return Expression(_network, weights, points, p.m, tuple((j,) for j in range(p.n)))


class Derivatives(Problem):
    """Derivatives of functions that are given as expressions; there is no equation to solve.

    The truth is computed from the expression in extended precision. What counts is the error and
    what a call costs: against the order, the dimension, and the step of finite differences.

    Source: Griewank & Walther 2008, doi:10.1137/1.9780898717761.
    """

    name = "derivatives"
    summary = "derivatives of given functions: error against extended precision, time, memory"
    citation = """@book{griewank2008evaluating,
  author = {Griewank, Andreas and Walther, Andrea},
  title = {Evaluating Derivatives: Principles and Techniques of Algorithmic Differentiation},
  edition = {2nd}, publisher = {SIAM}, year = {2008}, doi = {10.1137/1.9780898717761}}"""
    fields = ("y",)
    tasks = (Slide, Network, Jacobian)

    @cached_property
    def domain(self) -> Domain:
        """No axes: each task has inputs and points of its own."""
        return Domain(Box())

    def reference(self) -> Reference:
        """Refuse: there is no field."""
        raise UnsupportedError("derivatives has no field; the truth is that of its tasks")


def _slide(x: Any, constants: Mapping[str, Any]) -> Any:
    xp = array_namespace(x)
    x1, x2 = x[:1], x[1:2]
    ratio = x1 / x2
    sine = xp.sin(ratio)
    difference = ratio - xp.exp(x2)
    return (sine + difference) * difference


def _network(x: Any, constants: Mapping[str, Any]) -> Any:
    """Apply a network to inputs × points, tanh between its layers; arrays or jets."""
    layers = len(constants) // 2
    for layer in range(layers):
        weight, bias = constants[f"weight.{layer}"], constants[f"bias.{layer}"]
        x = jets.linear(weight, x, bias) if isinstance(x, jets.Jet) else weight @ x + bias[:, None]
        x = array_namespace(x).tanh(x) if layer < layers - 1 else x
    return x


def _draw(
    task: str, sizes: tuple[int, ...], points: int, instance: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Draw weights by Glorot & Bengio 2010 (AISTATS 9, eq. 16), biases and points in [−1, 1]."""
    rng = generator("derivatives", task, sizes, instance)
    constants = {}
    for layer, (n, m) in enumerate(itertools.pairwise(sizes)):
        limit = sqrt(6.0 / (n + m))
        constants[f"weight.{layer}"] = rng.uniform(-limit, limit, (m, n))
        constants[f"bias.{layer}"] = rng.uniform(-1.0, 1.0, m)
    return constants, rng.uniform(-1.0, 1.0, (sizes[0], points))
