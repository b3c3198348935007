"""Minimisers whose control flow runs on the host, on flat float64 vectors; for every backend."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np

from pdebench_lite.registry.component import Optimizer
from pdebench_methods.search.symmetric_matrix import HostMatrix, NewMatrix


class FlatObjective(Protocol):
    """An objective of a backend as functions of one NumPy vector (n,), compiled when first called.

    The data are those that `feed` was last given.
    """

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient (n,)."""

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """Return the residuals (m,), whose squares sum to the loss."""

    def linearise(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals (m,) and their exact Jacobian (m, n)."""

    def feed(self, data: dict[str, np.ndarray]) -> None:
        """Use other data of the same shapes."""


def flatten(parameters: Mapping[str, np.ndarray]) -> np.ndarray:
    """Join parameters in the order of their names, shape (n,)."""
    return np.concatenate([np.ravel(parameters[name]) for name in sorted(parameters)])


def slices(parameters: Mapping[str, np.ndarray]) -> dict[str, tuple[slice, tuple[int, ...]]]:
    """Return where each parameter lies in the joined vector, and its shape."""
    places, start = {}, 0
    for name in sorted(parameters):
        shape = np.shape(parameters[name])
        size = int(np.prod(shape, dtype=int))
        places[name] = slice(start, start + size), shape
        start += size
    return places


class Search(Protocol):
    """An optimiser of `any` backend: it works step by step on a vector, on the host.

    Attributes:
        x: the point as of now, (n,), float64.
        loss: the loss there.
        evaluations: of the loss so far.
    """

    x: np.ndarray
    loss: float
    evaluations: int

    def step(self) -> bool:
        """Take one step; returns False where no lower point is found."""

    def refresh(self) -> None:
        """Evaluate again at x, after a change of what is minimised."""

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs to go on bit by bit."""

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state that `state` returned."""


ValueAndGradient: TypeAlias = Callable[[np.ndarray], tuple[float, np.ndarray]]
Step: TypeAlias = Callable[..., tuple[np.ndarray, float, dict[str, np.ndarray]] | None]
"""The shortest form of an optimiser: one step as a function.

`step(x, memory, value_and_gradient, rate, config)` returns the next x, the loss at the old one and
the next memory, or None where it finds no lower point. x: (n,), float64; memory: named arrays,
empty at the first step; rate: the learning rate; config: the optimiser's own settings. All that it
remembers is in the memory, so that it can be saved and go on bit by bit.
"""


class StepByStep:
    """A `Step` as a `Search`.

    Args:
        step: does one step.
        evaluate: value and gradient.
        x: where to start, (n,).
        rate: the learning rate.
        config: the optimiser's own settings.
    """

    def __init__(
        self, step: Step, evaluate: ValueAndGradient, x: np.ndarray, rate: float, config: Any
    ) -> None:
        self._step, self._evaluate, self.rate, self._config = step, evaluate, rate, config
        self.x, self._memory = np.array(x, dtype=np.float64), dict[str, np.ndarray]()
        self.evaluations = 0
        self.loss = self._counted(self.x)[0]

    def _counted(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        self.evaluations += 1
        value, gradient = self._evaluate(x)
        return float(value), np.asarray(gradient, dtype=np.float64)

    def step(self) -> bool:
        """Take one step."""
        found = self._step(self.x, self._memory, self._counted, self.rate, self._config)
        if found is None:
            return False
        self.x, self.loss, self._memory = found
        return True

    def refresh(self) -> None:
        """Do nothing: the next step evaluates at x."""

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs."""
        kept = {f"memory/{name}": np.array(values) for name, values in self._memory.items()}
        at = {"x": self.x.copy(), "loss": np.asarray(self.loss)}
        return kept | at | {"evaluations": np.asarray(self.evaluations)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        self.x, self.loss = np.array(state["x"]), float(state["loss"])
        self.evaluations = int(state["evaluations"])
        start = "memory/"
        self._memory = {k[len(start) :]: np.array(v) for k, v in state.items() if k[:7] == start}


def search(
    optimizer: Optimizer,
    made: Any,
    flat: FlatObjective,
    x: np.ndarray,
    rate: float,
    config: Any,
    matrix: NewMatrix = HostMatrix,
) -> Search:
    """Start an optimiser of `any` backend.

    Args:
        optimizer: its description.
        made: its object: a `Step`, or a class of `Search`, called with value and gradient, x and
            `matrix` if it is dense, or with `linearise`, `residuals` and x.
        flat: what is minimised.
        x: where to start, (n,).
        rate: the learning rate.
        config: its own settings.
        matrix: makes the matrix of a dense one.
    """
    if optimizer.needs == "residuals":
        flat.residuals(x)  # compiles it
        return made(flat.linearise, flat.residuals, x)
    if not isinstance(made, type):
        return StepByStep(made, flat.value_and_gradient, x, rate, config)
    return made(flat.value_and_gradient, x, *((matrix,) if optimizer.dense else ()))


class HostMinimiser:
    """A `Search` on the objective of a backend.

    Args:
        flat: what is minimised.
        parameters: where to start.
        begin: starts the search from a vector.
        rate: the learning rate, on which a stage may put a factor.
    """

    def __init__(
        self,
        flat: FlatObjective,
        parameters: dict[str, np.ndarray],
        begin: Callable[[np.ndarray], Search],
        rate: float = 0.0,
    ) -> None:
        self._flat, self._places, self._rate = flat, slices(parameters), rate
        self._optimizer = begin(flatten(parameters))

    def advance(self, steps: int) -> tuple[float, int, int]:
        """Do at most that many steps, fewer where no lower point is found."""
        before, done = self._optimizer.evaluations, 0
        while done < steps and self._optimizer.step():
            done += 1
        return self._optimizer.loss, done, self._optimizer.evaluations - before

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters as of now."""
        x = self._optimizer.x
        return {name: x[where].reshape(shape) for name, (where, shape) in self._places.items()}

    def feed(self, data: dict[str, np.ndarray], rate: float = 1.0) -> None:
        """Go on with other data of the same shapes, and another factor on the learning rate."""
        self._flat.feed(data)
        if isinstance(self._optimizer, StepByStep):
            self._optimizer.rate = rate * self._rate
        self._optimizer.refresh()

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs."""
        return self._optimizer.state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        self._optimizer.restore(state)
