"""A user's own network in the place of the fully connected one: found, tried out, named.

Its callable is given the numbers of inputs and outputs and returns, for torch, a module that maps
(n, inputs) to (n, outputs); for JAX, an object with flax' pair `init(key, x)` and
`apply(variables, x)`, or a pytree that maps one point, (inputs,), to (outputs,), as a module of
equinox does. Its weights are those that it draws itself, from a seed of the run's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.numerics import array_namespace
from pdebench_lite.registry import own_code
from pdebench_methods import gradient_check
from pdebench_methods.training import OwnNetwork, Tools

_POINTS = 3  # at which a network is tried out

_HINTS = (
    ("scaled_dot_product", "call attention under torch.nn.attention.sdpa_kernel(SDPBackend.MATH)"),
    ("double backward", "leave torch.compile out: the harness compiles the loss where that pays"),
    ("same dtype", "keep constants by register_buffer, so that they follow the type of the run"),
    ("numpy", "compute in the library of the backend, from the inputs to the answer"),
    ("Attempted boolean", "let no value of the inputs decide which way Python goes"),
)
"""Parts of messages of torch and JAX, and what to do about them."""


class OwnNetworks:
    """Networks that a user's callable makes, each under a name of its own.

    Args:
        path: of the callable, `package.module:callable`.
        tools: of the backend.
        order: of the derivatives along points that the loss needs.

    Raises:
        PdebenchError: there is no such callable.
    """

    def __init__(self, path: str, tools: Tools, order: int = 0) -> None:
        self._path, self._tools, self._order = path, tools, order
        with self._blamed("importing it"):
            self._make: Callable[..., Any] = own_code.load(path)
        if not callable(self._make):
            raise PdebenchError(f"network={path} is {type(self._make).__name__}, not callable")
        self._seeds: dict[str, int] = {}
        self._made: dict[str, OwnNetwork] = {}

    def initial(
        self, rng: np.random.Generator, name: str, inputs: int, outputs: int
    ) -> dict[str, np.ndarray]:
        """Make a network and return the weights that it has drawn, `{name}.…`, float64.

        The same seed as before makes no new one.

        Raises:
            PdebenchError: the user's code fails, or returns what has another shape.
            UnsupportedError: it is a network of another library, not a function of weights and
                single points, or one whose derivatives are lost.
        """
        seed = int(rng.integers(1 << 31))
        if self._seeds.get(name) != seed:
            with self._blamed(f"called with inputs={inputs}, outputs={outputs}"):
                made = self._tools.own_network(self._make, inputs, outputs, seed)
                _require_weights(made)
                self._try_out(made, inputs, outputs)
            with self._blamed("differentiated"):
                fixed = gradient_check.without_gradient(
                    made, self._tools, inputs, outputs, self._order
                )
                trained = {k: v for k, v in made.weights.items() if k not in fixed}
                made = replace(made, weights=trained)
                _require_weights(made)
            self._seeds[name], self._made[name] = seed, made
        return {f"{name}.{key}": value for key, value in self._made[name].weights.items()}

    def silenced(self, drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return nothing: which of its weights would have to be zero is not known."""
        return {}

    def apply(self, parameters: Mapping[str, Any], name: str, features: Sequence[Any]) -> Any:
        """Apply a network to features, each of shape (n,): outputs × points, (outputs, n)."""
        made = self._made[name]
        weights = {key: parameters[f"{name}.{key}"] for key in made.weights}
        x = array_namespace(features[0]).stack(list(features), axis=1)
        return made.call(weights, x).T

    def _try_out(self, made: OwnNetwork, inputs: int, outputs: int) -> None:
        """Check what derivatives along points and sums over blocks of points rely on."""

        def call(weights: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
            found = made.call(weights, data["x"])
            if not hasattr(found, "shape"):
                raise PdebenchError(f"its answer is {type(found).__name__}; return one array")
            return found

        def answer(points: np.ndarray) -> np.ndarray:
            return self._tools.evaluate(call, made.weights, {"x": points})

        points = np.random.default_rng(0).uniform(-1.0, 1.0, (_POINTS, inputs))
        found, dtype = answer(points), self._tools.to_numpy(self._tools.asarray(points)).dtype
        if found.shape != (_POINTS, outputs):
            raise PdebenchError(
                f"inputs of shape ({_POINTS}, {inputs}) became {found.shape}; "
                f"return ({_POINTS}, {outputs})"
            )
        if found.dtype != dtype:
            raise PdebenchError(
                f"inputs in {dtype} became {found.dtype}; compute in the type of the inputs"
            )
        if not np.all(np.isfinite(found)):
            raise PdebenchError(f"its first answer is not finite: {found.ravel()[:3]}")
        near = float(np.sqrt(np.finfo(dtype).eps) * max(1.0, np.max(np.abs(found))))
        if np.max(np.abs(answer(points) - found)) > near:
            raise UnsupportedError(
                "it answers the same points differently each time, as with dropout; leave that "
                "out, or return the module after .eval()"
            )
        alone = np.concatenate([answer(points[i : i + 1]) for i in range(_POINTS)])
        if np.max(np.abs(alone - found)) > near:
            raise UnsupportedError(
                "its answer at a point depends on the other points, as with normalisation over a "
                "batch; leave that out, or return the module after .eval()"
            )

    @contextmanager
    def _blamed(self, doing: str) -> Iterator[None]:
        """Say whose code it is that fails."""
        place = f"network={self._path}"
        try:
            yield
        except PdebenchError as error:
            raise type(error)(f"{place}: {error}") from error
        except MemoryError:
            raise
        except Exception as error:
            text = next((line for line in str(error).splitlines() if line.strip()), "no message")
            hint = next((f"; {todo}" for part, todo in _HINTS if part in text), "")
            said = f"{type(error).__name__}: {text}{hint}"
            raise PdebenchError(f"{place}, {doing}: {said}") from error


def _require_weights(made: OwnNetwork) -> None:
    if not made.weights:
        raise PdebenchError("it has no weights to train")
