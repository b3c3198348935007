"""The array libraries that a problem must run on, each skipped with a reason where it is absent."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

LIBRARIES = ("numpy", "torch", "jax")


@dataclass(frozen=True)
class Library:
    """One array library: how arrays enter it, and how they come back."""

    name: str
    module: Any

    def array(self, values: Any, dtype: str = "float64") -> Any:
        """Return an array of this library."""
        if self.name == "torch":
            return self.module.tensor(np.asarray(values), dtype=getattr(self.module, dtype))
        return self.module.asarray(np.asarray(values, dtype))

    def arrays(self, values: Mapping[str, Any], dtype: str = "float64") -> dict[str, Any]:
        """Return named arrays of this library; Python floats stay what they are."""
        return {k: v if type(v) is float else self.array(v, dtype) for k, v in values.items()}

    def slope(self, function: Callable[[Any], Any]) -> float:
        """Return the derivative of a function of a number at 0, by automatic differentiation."""
        if self.name == "jax":
            return float(pytest.importorskip("jax").grad(function)(0.0))
        at = self.module.zeros((), dtype=self.module.float64, requires_grad=True)
        value = function(at)
        if not value.requires_grad:
            return 0.0
        (found,) = self.module.autograd.grad(value, at, materialize_grads=True)
        return float(found)

    def compiled(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function of arrays as it is run in training: traced, in JAX."""
        if self.name != "jax":
            return function
        return pytest.importorskip("jax").jit(function)


@contextmanager
def library(name: str) -> Iterator[Library]:
    """Open an array library, JAX with float64; skips the test if it is not installed."""
    module = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy"}[name]
    found = pytest.importorskip(module, reason=f"{name} is not installed")
    if name != "jax":
        yield Library(name, found)
        return
    jax = pytest.importorskip("jax")
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        yield Library(name, found)
