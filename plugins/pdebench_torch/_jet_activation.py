"""Activations of jets in torch, with the reverse pass of `pdebench_methods.jet_activation`."""

from typing import Any

import torch

from pdebench_lite.numerics import jets
from pdebench_lite.numerics.jets import Index, Jet, Space
from pdebench_methods.jet_activation import WITH_REVERSE, forward, indices, reverse


def activate(name: str, x: Jet) -> Jet:
    """Apply an activation to a jet, values and gradients as `jets` has them.

    Args:
        name: a function of `jets`; where no reverse pass is written for it, it is applied as it is,
            and so it is where torch compiles, which then fuses the operations itself.
        x: pre-activations of any shape; each coefficient of that shape, or broadcasting to it.
    """
    present, coefficients = tuple(x.coefficients), tuple(x.coefficients.values())
    floats = any(isinstance(c, float) for c in coefficients)
    if name not in WITH_REVERSE or floats or torch.compiler.is_compiling():
        whole: Jet = getattr(jets, name)(x)
        return whole
    out = _Activation.apply(name, x.space, present, *coefficients)
    return Jet(x.space, dict(zip(indices(x.space, present), out, strict=True)))


class _Activation(torch.autograd.Function):
    """y = f(x) for the coefficients of a jet x: one node in the graph."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        name: str, space: Space, present: tuple[Index, ...], *x: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        return forward(name, space, present, x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[torch.Tensor, ...]) -> None:
        ctx.name, ctx.space, ctx.present, *x = inputs
        ctx.shapes = [c.shape for c in x]
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        y = ctx.saved_tensors
        found = reverse(ctx.name, ctx.space, ctx.present, y, gradients, _multiply_add)
        shapes = zip(ctx.present, ctx.shapes, strict=True)
        return (None, None, None, *(found[b].sum_to_size(shape) for b, shape in shapes))


def _multiply_add(
    total: torch.Tensor, a: torch.Tensor, b: torch.Tensor, factor: float
) -> torch.Tensor:
    return torch.addcmul(total, a, b, value=factor)
