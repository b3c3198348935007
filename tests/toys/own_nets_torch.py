"""Networks of torch as users write them, good ones and others."""

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class Tanh(nn.Module):
    """Two layers of five tanh: what `width=5,depth=2` is."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        sizes = [inputs, 5, 5, outputs]
        self.layers = nn.ModuleList([nn.Linear(n, m) for n, m in pairwise(sizes)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)


class Fourier(nn.Module):
    """Random features, which are not trained, then a layer that finds its own size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("waves", torch.randn(inputs, 8))
        self.frozen = nn.Linear(8, 8).requires_grad_(False)
        self.last = nn.LazyLinear(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.sin(self.frozen(x @ self.waves)))


def _with(layer: Any) -> Any:
    def make(inputs: int, outputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(inputs, 5), layer(), nn.Linear(5, outputs))

    return make


dropout = _with(nn.Dropout)
batch_norm = _with(lambda: nn.BatchNorm1d(5))
stateless_batch_norm = _with(lambda: nn.BatchNorm1d(5, track_running_stats=False))


def evaluated_batch_norm(inputs: int, outputs: int) -> nn.Module:
    """Normalisation by running means that stay where they are."""
    return batch_norm(inputs, outputs).eval()


def across(inputs: int, outputs: int) -> nn.Module:
    """A layer whose answer at a point depends on the others."""

    class Across(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x - x.mean(0))

    return Across(inputs, outputs)


def transposed(inputs: int, outputs: int) -> nn.Module:
    """One output too many."""
    return nn.Linear(inputs, outputs + 1)


def single(inputs: int, outputs: int) -> nn.Module:
    """A layer that computes in float32, whatever the run does."""

    class Single(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x).float()

    return Single(inputs, outputs)


def weightless(inputs: int, outputs: int) -> nn.Module:
    """Nothing to train."""
    return nn.Linear(inputs, outputs).requires_grad_(False)


def other_library(inputs: int, outputs: int) -> Any:
    """A function of JAX, or anything else."""
    return lambda x: x


def broken(inputs: int, outputs: int) -> nn.Module:
    """Code with an error in it."""
    raise KeyError("layers")


number = 3


# ---- derivatives that are lost, and networks of which nothing is -----------------------------


def _tanh(change: Any) -> Any:
    """Return what makes a network of tanh, called as `change(network, x)`."""

    def make(inputs: int, outputs: int) -> nn.Module:
        class Changed(Tanh):
            def forward(self, x: Tensor) -> Tensor:
                return change(super().forward, x)

        return Changed(inputs, outputs)

    return make


def _steps(x: Tensor) -> Tensor:
    return torch.round(10.0 * x) / 10.0


def _by_numpy(net: Any, x: Tensor) -> Tensor:
    return net(torch.from_numpy(np.tanh(x.detach().numpy())))


def _without_grad(net: Any, x: Tensor) -> Tensor:
    with torch.no_grad():
        return net(x)


detached_input = _tanh(lambda net, x: net(x.detach()))
detached_last_input = _tanh(lambda net, x: net(torch.cat([x[:, :-1], x[:, -1:].detach()], 1)))
data_of_input = _tanh(lambda net, x: net(x.data))
through_numpy = _tanh(_by_numpy)
numpy_of_a_leaf = _tanh(lambda net, x: net(torch.from_numpy(x.numpy())))
without_grad = _tanh(_without_grad)
rounded = _tanh(lambda net, x: net(_steps(x)))
straight_through = _tanh(lambda net, x: net(x + (_steps(x) - x).detach()))
tuple_of_answers = _tanh(lambda net, x: (net(x), None))


class detached_within(Tanh):  # noqa: N801
    """The first layer gets no gradient."""

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x).detach())
        return self.layers[-1](x)


class frozen_by_detach(Tanh):  # noqa: N801
    """The weights of the first layer are held fixed, by their use."""

    def forward(self, x: Tensor) -> Tensor:
        first, second, last = self.layers
        x = torch.tanh(nn.functional.linear(x, first.weight.detach(), first.bias))
        return last(torch.tanh(second(x)))


class _Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.answer = torch.tanh(x)
        return ctx.answer.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * (1.0 - ctx.answer.detach() ** 2)


class _Layer(nn.Module):
    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def _activated(*layers: Any) -> Any:
    def make(inputs: int, outputs: int) -> nn.Module:
        sizes = [nn.Linear(inputs, 16), nn.Linear(16, 16)]
        inner = [part for linear in sizes for part in (linear, *(layer() for layer in layers))]
        return nn.Sequential(*inner, nn.Linear(16, outputs))

    return make


once = _activated(lambda: _Layer(_Wrong.apply))
relu = _activated(nn.ReLU)
layer_norm = _activated(lambda: nn.LayerNorm(16), nn.Tanh)
fast_sine = _activated(lambda: _Layer(lambda x: torch.sin(30.0 * x)))
kinks = _activated(nn.ELU)
weight_norm = _activated(nn.Tanh, lambda: nn.utils.parametrizations.weight_norm(nn.Linear(16, 16)))


def from_zero(inputs: int, outputs: int) -> nn.Module:
    """A last layer that begins at zero, so that every derivative does."""
    net = Tanh(inputs, outputs)
    nn.init.zeros_(net.layers[-1].weight)
    nn.init.zeros_(net.layers[-1].bias)
    return net


class in_single_precision(Tanh):  # noqa: N801
    """Inputs are rounded to float32, the rest is not."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.float().to(x.dtype))


def compiled(inputs: int, outputs: int) -> nn.Module:
    """A module in the wrapper of torch.compile, within another one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, of its compiler's first use
        return nn.Sequential(torch.compile(Tanh(inputs, outputs)))


def parallel(inputs: int, outputs: int) -> nn.Module:
    """A module for several devices."""
    return nn.DataParallel(Tanh(inputs, outputs))


def scripted(inputs: int, outputs: int) -> nn.Module:
    """A module of TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return torch.jit.script(nn.Sequential(nn.Linear(inputs, 5), nn.Linear(5, outputs)))


class attention(nn.Module):  # noqa: N801
    """Attention among four parts of a hidden layer, by a fused kernel."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, 32), nn.Linear(32, outputs)

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x).reshape(-1, 1, 4, 8)
        h = nn.functional.scaled_dot_product_attention(h, h, h)
        return self.last(h.reshape(-1, 32))


class table(nn.Module):  # noqa: N801
    """A value for each of eight parts of the first axis."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.values = nn.Embedding(8, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.values((4.0 * x[:, 0] + 4.0).long().clamp(0, 7))


class constant_of_one_type(Tanh):  # noqa: N801
    """A plain attribute, which does not follow the type of the run."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.waves = torch.eye(inputs, dtype=torch.float32)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x @ self.waves)
