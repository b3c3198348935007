"""Networks of jets in torch as one node of the graph, with a reverse pass by hand.

Layer by layer and operation by operation, a jet of a network with few neurons and thousands of
points is a hundred passes over arrays that no cache of a core holds. Here all coefficients of a
layer are one array, (coefficients, features, points), so that a layer is one batched matrix
product each way; what follows is done in place, on blocks of points that stay in a core's cache;
and each core has its own blocks.

For f = tanh and derivatives up to the second, with s = f′ = 1 − f² (Griewank & Walther 2008,
doi:10.1137/1.9780898717761, chapter 13; see `pdebench_methods.jet_activation`),

    y_α = s·(x_α − f Σ x_β x_γ),    s_α = −2 f y_α − Σ y_β y_γ    over β + γ = α, β, γ ≠ 0,
    x̄_β = Σ_{α ≥ β} ȳ_α s_{α−β}.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, NamedTuple, TypeAlias

import torch

from pdebench_lite.numerics.jets import Index, Jet, Space
from pdebench_methods import networks
from pdebench_methods.jet_activation import indices
from pdebench_torch._jet_activation import activate

BLOCK_BYTES = 1 << 19
"""Of one layer's coefficients: a layer, its gradient and their scratch then share 2 MB of cache."""

FEW = 64
"""Points below which calls, not passes over memory, take the time."""

Layers: TypeAlias = Sequence[tuple[torch.Tensor, torch.Tensor]]


def propagate(activation: str, layers: Layers, x: Jet) -> Jet:
    """Take a jet of features through the layers of a network, as `networks.propagate` does.

    Other activations than tanh, derivatives beyond the second, few points, and code that torch
    compiles or maps over single points are left to it.

    Args:
        activation: between the layers, not after the last.
        layers: weight (out, in) and bias (out,) of each.
        x: features × points.
    """
    coefficients = tuple(x.coefficients.values())
    if (
        activation != "tanh"
        or max(map(sum, x.space.indices)) > 2
        or any(isinstance(c, float) for c in coefficients)
        or len(x.shape) != 2
        or x.shape[1] < FEW
        or torch.compiler.is_compiling()
    ):
        return networks.propagate(activate, activation, layers, x)
    rules = _rules(x.space, tuple(x.coefficients))
    flat = [a for layer in layers for a in layer]
    y = _Network.apply(rules, len(layers), *flat, *coefficients)
    return Jet(x.space, dict(zip(rules.kept, y.unbind(0), strict=True)))


class _Rules(NamedTuple):
    """Which coefficients there are, by position in an array of all of them."""

    kept: tuple[Index, ...]
    present: tuple[int, ...]
    """Positions of those that the features have."""
    products: tuple[tuple[int, int, int, float], ...]
    """(α, β, γ, factor) of the products x_β x_γ, β ≤ γ, β + γ = α, that second derivatives have."""
    transposed: tuple[tuple[tuple[int, int], ...], ...]
    """For each β: (α, α − β) of the terms of x̄_β other than that with s₀."""


@lru_cache(maxsize=64)
def _rules(space: Space, present: tuple[Index, ...]) -> _Rules:
    kept = indices(space, present)
    at = {alpha: k for k, alpha in enumerate(kept)}
    split = [
        (alpha, beta, gamma)
        for alpha in kept[1:]
        for beta, gamma in space.products[alpha]
        if beta in at and gamma in at
    ]
    inner = [(a, b, c) for a, b, c in split if kept[0] not in (b, c)]
    return _Rules(
        kept,
        tuple(at[alpha] for alpha in present),
        tuple((at[a], at[b], at[c], 1.0 if b == c else 2.0) for a, b, c in inner if b <= c),
        tuple(
            tuple((at[a], at[c]) for a, b, c in split if b == beta and c != kept[0])
            for beta in kept
        ),
    )


class _Network(torch.autograd.Function):
    """(weights and biases, coefficients of the features) -> coefficients (k, outputs, points)."""

    @staticmethod
    def forward(ctx: Any, rules: _Rules, depth: int, *inputs: torch.Tensor) -> torch.Tensor:
        weights, biases = inputs[: 2 * depth : 2], inputs[1 : 2 * depth : 2]
        x = _stacked(rules, inputs[2 * depth :])
        k, n = x.shape[0], x.shape[2]
        out = x.new_empty((k, weights[-1].shape[0], n))
        blocks = _blocks(x, max(w.shape[0] for w in weights))
        work = [partial(_ahead, rules, weights, biases, x[..., b], out[..., b]) for b in blocks]
        layers = _on_each_core(work)
        ctx.rules, ctx.depth, ctx.blocks = rules, depth, blocks
        ctx.shapes = [c.shape for c in inputs[2 * depth :]]
        ctx.save_for_backward(*weights, *(y for of_block in layers for y in of_block))
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        rules, depth, blocks = ctx.rules, ctx.depth, ctx.blocks
        weights, layers = ctx.saved_tensors[:depth], ctx.saved_tensors[depth:]
        asked = any(ctx.needs_input_grad[2 + 2 * depth :])
        work = [
            partial(
                _back, rules, weights, layers[i * depth : (i + 1) * depth], gradient[..., b], asked
            )
            for i, b in enumerate(blocks)
        ]
        found = _on_each_core(work)
        summed = [_sum([of_block[j] for of_block, _ in found]) for j in range(2 * depth)]
        features: list[torch.Tensor | None] = [None] * len(rules.present)
        if asked:
            x = torch.cat([of_features for _, of_features in found], dim=2)
            shapes = zip(rules.present, ctx.shapes, strict=True)
            features = [x[i].sum_to_size(shape) for i, shape in shapes]
        return (None, None, *summed, *features)


def _stacked(rules: _Rules, coefficients: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return all coefficients of the features, (k, features, points); absent ones are zero."""
    value = coefficients[0]
    x = value.new_zeros((len(rules.kept), *value.shape))
    for i, c in zip(rules.present, coefficients, strict=True):
        x[i] = c
    return x


def _blocks(x: torch.Tensor, width: int) -> list[slice]:
    """Cut the points: blocks of BLOCK_BYTES, and as many for each core; one block on a GPU."""
    k, _, n = x.shape
    if x.device.type != "cpu":
        return [slice(0, n)]
    cores = torch.get_num_threads()
    rounds = math.ceil(n * k * width * x.element_size() / BLOCK_BYTES / cores)
    size = math.ceil(n / (rounds * cores))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]


def _ahead(
    rules: _Rules,
    weights: Sequence[torch.Tensor],
    biases: Sequence[torch.Tensor],
    x: torch.Tensor,
    out: torch.Tensor,
) -> list[torch.Tensor]:
    """Write a block's outputs; returns the inputs of every layer."""
    one = x.new_ones(())
    kept = []
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        kept.append(x)
        y = torch.bmm(weight.expand(len(x), -1, -1), x)
        f, *coefficients = y.unbind(0)
        f.add_(bias[:, None])
        if i == len(weights) - 1:
            out.copy_(y)
            break
        slope = torch.addcmul(one, f.tanh_(), f, value=-1.0)
        for a, b, c, factor in rules.products:
            product = coefficients[b - 1] * coefficients[c - 1]
            coefficients[a - 1].addcmul_(f, product, value=-factor)
        y[1:].mul_(slope)
        x = y
    return kept


def _back(
    rules: _Rules,
    weights: Sequence[torch.Tensor],
    kept: Sequence[torch.Tensor],
    gradient: torch.Tensor,
    asked: bool,
) -> tuple[list[torch.Tensor], torch.Tensor | None]:
    """Return a block's gradients of weights and biases in turn, and of the features if asked."""
    one = gradient.new_ones(())
    found: list[torch.Tensor] = []
    for i in reversed(range(len(weights))):
        y = kept[i]
        found += [gradient[0].sum(1), torch.bmm(gradient, y.transpose(1, 2)).sum(0)]
        if i == 0 and not asked:
            return found[::-1], None
        gradient = torch.bmm(weights[i].t().expand(len(y), -1, -1), gradient)
        if i == 0:
            break
        f, *coefficients = y.unbind(0)
        slope = torch.addcmul(one, f, f, value=-1.0)
        slopes = (y[1:] * f).unbind(0)  # s_α / −2
        for a, b, c, factor in rules.products:
            slopes[a - 1].addcmul_(coefficients[b - 1], coefficients[c - 1], value=0.5 * factor)
        of_each = gradient.unbind(0)
        for b, of_one in enumerate(of_each):  # a term of x̄_β has ȳ_α with α ≥ β: not yet changed
            of_one.mul_(slope)
            for a, c in rules.transposed[b]:
                of_one.addcmul_(of_each[a], slopes[c - 1], value=-2.0)
    return found[::-1], gradient


def _sum(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.stack(list(parts)).sum(0)


def _on_each_core(work: Sequence[Callable[[], Any]]) -> list[Any]:
    """Do pieces of work, one core for each at a time; results in the order of the pieces.

    torch's own threads would have to meet after every operation.
    """
    cores = torch.get_num_threads()
    if len(work) == 1 or cores == 1:
        return [piece() for piece in work]
    shares = [work[i::cores] for i in range(cores)]
    done = list(_pool(cores).map(_share, shares))
    return [done[i % cores][i // cores] for i in range(len(work))]


def _share(work: Sequence[Callable[[], Any]]) -> list[Any]:
    with torch.no_grad():
        return [piece() for piece in work]


@lru_cache(maxsize=1)
def _pool(cores: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores, "jet network", partial(torch.set_num_threads, 1))
