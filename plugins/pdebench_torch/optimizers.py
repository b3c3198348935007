"""Optimisers of torch, as `objects["torch"]` of a registered optimiser names them.

Each is called with the tensors, the learning rate and its own settings, and returns an optimiser of
torch.
"""

from collections.abc import Sequence
from typing import Any

import torch


def gd(parameters: Sequence[torch.Tensor], rate: float, config: Any) -> torch.optim.Optimizer:
    """Return gradient descent."""
    return torch.optim.SGD(parameters, lr=rate, fused=_one_pass(parameters))


def adam(parameters: Sequence[torch.Tensor], rate: float, config: Any) -> torch.optim.Optimizer:
    """Return Adam."""
    return torch.optim.Adam(parameters, lr=rate, fused=_one_pass(parameters))


def lbfgs(parameters: Sequence[torch.Tensor], rate: float, config: Any) -> torch.optim.Optimizer:
    """Return L-BFGS with a line search, which ends when no lower point is found."""
    return torch.optim.LBFGS(
        parameters,
        max_iter=1,
        max_eval=1 << 30,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        history_size=50,
        line_search_fn="strong_wolfe",
    )


def _one_pass(parameters: Sequence[torch.Tensor]) -> bool:
    """Whether one pass over all parameters is the fastest: on a CPU."""
    return parameters[0].device.type == "cpu"
