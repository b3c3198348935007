"""The array libraries: how arrays get in and out, and the transformations that a library brings."""

import sys
import warnings
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from pdebench_lite.numerics import array_namespace

Compiled = Callable[[Any, dict[str, Any]], Any]


def _load_transforms() -> None:
    """Use torch's transformations once, which imports its compiler: seconds, of no method."""
    torch = sys.modules.get("torch")  # loaded by the runtime of its backend, if that is in use
    if torch is None:
        return
    at, jvp, vjp = torch.zeros(1), torch.func.jvp, torch.func.vjp
    with warnings.catch_warnings(action="ignore"):  # torch's own, of its own functions
        back = lambda z: vjp(array_namespace(z).tanh, z)[1](z)[0]  # noqa: E731
        once = lambda z: jvp(back, (z,), (z,))[1]  # noqa: E731
        torch.func.vmap(lambda v: jvp(once, (at,), (v,))[1])(torch.zeros(1, 1))


_load_transforms()


class Library(Protocol):
    """One array library with the floating-point type of a run.

    Attributes:
        transforms: a namespace with `jvp`, `vjp` and `vmap`; None where the library has none.
    """

    transforms: Any

    def array(self, values: np.ndarray) -> Any:
        """Return an array of this library, in the type of the run."""

    def compiled(self, function: Compiled) -> Compiled:
        """Return a function of points and constants as this library runs it fastest."""


class Numpy:
    """NumPy, which has arrays and nothing else."""

    transforms = None

    def __init__(self, dtype: str, device: str) -> None:
        self.dtype = dtype

    def array(self, values: np.ndarray) -> np.ndarray:
        """Return an array in the type of the run."""
        return np.asarray(values, self.dtype)

    def compiled(self, function: Compiled) -> Compiled:
        """Return the function itself."""
        return function


class Torch:
    """PyTorch, run operation by operation."""

    def __init__(self, dtype: str, device: str) -> None:
        import torch

        self.torch, self.transforms = torch, torch.func
        self.dtype, self.device = getattr(torch, dtype), device

    def array(self, values: np.ndarray) -> Any:
        """Return a tensor on the device of the run."""
        return self.torch.as_tensor(values, dtype=self.dtype, device=self.device)

    def compiled(self, function: Compiled) -> Compiled:
        """Return the function itself: eager, as PyTorch is by default."""
        return function


class Jax:
    """JAX, compiled by XLA."""

    def __init__(self, dtype: str, device: str) -> None:
        import jax

        self.transforms, self.dtype = jax, dtype

    def array(self, values: np.ndarray) -> Any:
        """Return an array on the default device, which is that of the run."""
        return self.transforms.numpy.asarray(np.asarray(values, self.dtype))

    def compiled(self, function: Compiled) -> Compiled:
        """Return the function under `jax.jit`."""
        return self.transforms.jit(function)


LIBRARIES: dict[str, type[Any]] = {"numpy": Numpy, "torch": Torch, "jax": Jax}
