"""`torch.compile` for losses, where the budget is long enough and a compiler is there."""

import warnings
from collections.abc import Callable
from typing import Any

import torch

from pdebench_lite.runner.run import Run

_SECONDS = 120.0  # Inductor took 35 to 51 s on two cores; steps then take half of the time or less
_STEPS = 2000


def pays(run: Run) -> bool:
    """Say whether the budget is long enough; under a limit of steps only their number counts."""
    return (run.max_steps is None or run.max_steps >= _STEPS) and run.time_left >= _SECONDS


def compiled(function: Callable[..., Any], attempt: Callable[[Any], object]) -> Callable[..., Any]:
    """Return a function compiled, or as it is with a warning where that does not work.

    It does not without a C++ compiler, nor for derivatives by nested autodiff.

    Args:
        function: what is compiled, for inputs of fixed shapes.
        attempt: calls what it is given as it will be called later, gradient included.
    """
    fast = torch.compile(function, fullgraph=True, dynamic=False)
    attempt(function)  # fills what is cached at the first call by means that Dynamo does not trace
    with warnings.catch_warnings():
        # Dynamo traces through the cache of `jets.space`, whose results never change.
        warnings.filterwarnings("ignore", ".*lru_cache.*", UserWarning)
        try:
            attempt(fast)
        except torch._dynamo.exc.TorchDynamoException as e:
            reason = (str(e).strip().splitlines() or ["no reason given"])[0]
            warnings.warn(f"not compiled, steps take longer: {reason}", stacklevel=2)
            return function
    return fast
