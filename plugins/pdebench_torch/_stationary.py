"""Linear solves whose derivatives are solves too: what finite volumes need of torch."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd import forward_ad

from pdebench_lite.numerics.krylov import Linear, Machine

_Solve = Callable[[Linear, torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class _Map:
    """A constant linear map, its transpose, and how it is inverted."""

    apply: Linear
    solve: _Solve
    symmetric: bool
    turned: bool = False

    def transposed(self) -> "_Map":
        return _Map(self.apply, self.solve, self.symmetric, not self.turned)

    def inverse(self, b: torch.Tensor) -> torch.Tensor:
        apply = self.apply
        if self.turned and not self.symmetric:
            with torch.enable_grad():
                x = torch.zeros_like(b).requires_grad_()
                y = apply(x)
            apply = lambda v: torch.autograd.grad(y, x, v, retain_graph=True)[0]  # noqa: E731
        return self.solve(apply, b)


class _Inverse(torch.autograd.Function):
    """b -> A⁻¹b: its tangent is A⁻¹ of a tangent, its cotangent A⁻ᵀ of a cotangent."""

    @staticmethod
    def forward(b: torch.Tensor, linear: _Map) -> torch.Tensor:
        with torch.no_grad():
            return linear.inverse(b)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        _, ctx.linear = inputs

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return _Inverse.apply(gradient, ctx.linear.transposed()), None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, _: None) -> torch.Tensor:
        return _Inverse.apply(tangent, ctx.linear)


def _inverse(apply: Linear, b: torch.Tensor, solve: _Solve, symmetric: bool) -> torch.Tensor:
    return _Inverse.apply(b, _Map(apply, solve, symmetric))


def _loop(condition: Callable[[Any], Any], body: Callable[[Any], Any], state: Any) -> Any:
    with torch.no_grad():
        while condition(state):
            state = body(state)
    return state


def _jvp(
    function: Callable[[torch.Tensor], torch.Tensor], at: torch.Tensor, along: torch.Tensor
) -> torch.Tensor:
    """Return a directional derivative by two reverse passes.

    Forward differentiation does not nest in torch, and a Jacobian may be under way. The result is
    linear in the direction and can be differentiated by it.
    """
    with torch.enable_grad():
        x = at.detach().requires_grad_()
        y = function(x)
        w = torch.zeros_like(y, requires_grad=True)
        (pulled,) = torch.autograd.grad(y, x, w, create_graph=True)
        (pushed,) = torch.autograd.grad(pulled, w, along, create_graph=along.requires_grad)
    found: torch.Tensor = pushed
    return found


def _constant(values: Any) -> Any:
    """Return a tensor without gradients and without tangents; numbers as they are."""
    return values.detach() if isinstance(values, torch.Tensor) else values


MACHINE = Machine(_loop, _jvp, _inverse, _constant)


def forward_jacobian(
    function: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return values (m,) and Jacobian (m, n) at a point (n,) by n tangents along a leading axis.

    Unlike `torch.func.jacfwd` it lets a loop look at its numbers, as one that waits for convergence
    has to.

    Args:
        function: maps (n, n) copies of a point to (n, m).
        x: the point.
    """
    n = x.numel()
    with warnings.catch_warnings(), forward_ad.dual_level():
        # torch's own, of its first use of forward differentiation
        warnings.filterwarnings("ignore", ".*torch.jit.script", DeprecationWarning)
        copies = forward_ad.make_dual(
            x.detach().repeat(n, 1), torch.eye(n, dtype=x.dtype, device=x.device)
        )
        values, tangents = forward_ad.unpack_dual(function(copies))
    return values[0].detach(), tangents.T.detach()
