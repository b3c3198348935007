"""Derivatives by nested automatic differentiation, backwards or forwards.

Both differentiate a function that acts on each point alone.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

import torch

from pdebench_lite.problem import Arrays

Function: TypeAlias = Callable[[Arrays], dict[str, Any]]
"""Points, axis -> (n,), to named values, each (n,) or a number."""


def reverse(function: Function, points: Arrays, wanted: Mapping[str, tuple[str, ...]]) -> Arrays:
    """Return named derivatives (`u`, `u_x`, …): the gradient of a sum is that at every point."""
    leaves = {axis: values.detach().requires_grad_() for axis, values in points.items()}
    values = function(leaves)
    found: Arrays = {}
    for name, suffixes in wanted.items():
        known = {"": values[name]}
        for suffix in sorted(suffixes, key=len):
            for end in range(1, len(suffix) + 1):
                if suffix[:end] not in known:
                    known[suffix[:end]] = _slope(known[suffix[: end - 1]], leaves[suffix[end - 1]])
            found[f"{name}_{suffix}" if suffix else name] = known[suffix]
    return found


def _slope(value: Any, x: torch.Tensor) -> Any:
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return torch.zeros_like(x)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True, allow_unused=True)
    return torch.zeros_like(x) if slope is None else slope


def forward(function: Function, points: Arrays, wanted: Mapping[str, tuple[str, ...]]) -> Arrays:
    """Return named derivatives: a tangent of ones along an axis gives that at every point.

    Unlike `reverse` it can be mapped over points, and needs no graph.
    """
    found: Arrays = {}
    for name, suffixes in wanted.items():
        for suffix in suffixes:
            derivative = partial(_entry, function, name)
            for axis in suffix:
                derivative = partial(_tangent, derivative, axis)
            found[f"{name}_{suffix}" if suffix else name] = derivative(points)
    return found


def _entry(function: Function, name: str, points: Arrays) -> Any:
    return function(points)[name]


def _tangent(function: Callable[[Arrays], Any], axis: str, points: Arrays) -> torch.Tensor:
    x = points[axis]
    along = lambda x: torch.as_tensor(function({**points, axis: x}))  # noqa: E731
    slope: torch.Tensor = torch.func.jvp(along, (x,), (torch.ones_like(x),))[1]
    return slope
