"""Functions of tensors as CUDA graphs: one launch for all their kernels.

A network of few neurons is hundreds of small kernels an evaluation, and Python launches them far
more slowly than a GPU runs them.
"""

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import torch

Tensors: TypeAlias = dict[str, torch.Tensor]
Function: TypeAlias = Callable[[Tensors, Tensors], tuple[Any, ...]]
"""(variables, data) -> tensors or None; all on one device, and of shapes that do not change."""


def graphed(function: Function, device: torch.device) -> Function:
    """Return a function that runs as a CUDA graph from its first call on; on a CPU, as it is.

    A result is valid until the next call, which writes to the same place.

    Args:
        function: what is captured. It must not read a tensor on the host; where it does, it runs
            without a graph, with a warning.
        device: where its tensors lie.
    """
    return _Graphed(function) if device.type == "cuda" else function


class _Graphed:
    def __init__(self, function: Function) -> None:
        self._function = function
        self._graph: torch.cuda.CUDAGraph | None = None
        self._impossible = False
        self._variables: Tensors = {}
        self._data: Tensors = {}
        self._latest: Tensors | None = None  # the data that the graph's own were copied from
        self._results: tuple[Any, ...] = ()

    def __call__(self, variables: Tensors, data: Tensors) -> tuple[Any, ...]:
        if self._graph is None and not self._impossible:
            self._capture(variables, data)
        if self._graph is None:
            return self._function(variables, data)
        _copy(variables, self._variables)
        if data is not self._latest:
            _copy(data, self._data)
            self._latest = data
        self._graph.replay()
        return self._results

    def _capture(self, variables: Tensors, data: Tensors) -> None:
        """Record the function on tensors of the graph's own."""
        self._variables = {
            k: v.detach().clone().requires_grad_(v.requires_grad) for k, v in variables.items()
        }
        self._data = {k: v.detach().clone() for k, v in data.items()}
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            self._function(self._variables, self._data)  # libraries make their workspaces
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._results = self._function(self._variables, self._data)
        except RuntimeError as e:
            reason = (str(e).strip().splitlines() or ["no reason given"])[0]
            warnings.warn(f"no CUDA graph, steps take longer: {reason}", stacklevel=3)
            self._impossible = True
            return
        self._graph, self._latest = graph, data


def _copy(values: Tensors, into: Tensors) -> None:
    with torch.no_grad():
        torch._foreach_copy_([into[name] for name in values], list(values.values()))
