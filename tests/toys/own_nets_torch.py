"""Networks of torch as users write them, good ones and others."""

from itertools import pairwise
from typing import Any

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
