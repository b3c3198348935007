"""A task in the words of a PINN library: columns of coordinates, columns of outputs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pdebench_lite.method import Solution
from pdebench_lite.physics import array_namespace
from pdebench_lite.problem import Arrays, split_derivative
from pdebench_lite.view import View
from pdebench_peers.settings import Recipe


class Statement:
    """What a task gives to a library that knows nothing of it; arrays of any backend.

    Args:
        view: the task.
        axes: names of its axes in the order in which the library has its input columns.
        recipe: whether embedding and ansatz are used, and the weight of observations.
    """

    def __init__(self, view: View, axes: Sequence[str], recipe: Recipe) -> None:
        self.axes, self.fields = tuple(axes), view.fields
        assert view.domain.time is not None
        self.space, self.time = view.domain.space[0], view.domain.time
        self.equation = view.equation()
        self.embedding = view.embedding() if recipe.hard else None
        self.ansatz = view.ansatz() if recipe.hard else None
        self.observations = view.observations()
        self.initial_state = (
            view.initial_state if view.given("initial_state") and not self.ansatz else None
        )
        self._alpha0, self._hard = recipe.alpha0, recipe.hard

    @property
    def inputs(self) -> int:
        """Number of inputs of the network."""
        return self.features(np.zeros((1, len(self.axes)))).shape[-1]

    @property
    def count(self) -> int:
        """Number of residuals."""
        nowhere = np.zeros((1, len(self.axes)))
        return len(self.residuals(nowhere, lambda field, suffix: nowhere[:, 0]))

    def points(self, columns: Any) -> Arrays:
        """Return axis name -> column of an array (…, axes)."""
        return {name: columns[..., i] for i, name in enumerate(self.axes)}

    def columns(self, points: Mapping[str, Any]) -> np.ndarray:
        """Return points as an array (n, axes)."""
        return np.stack([np.ravel(points[name]) for name in self.axes], axis=-1)

    def features(self, columns: Any) -> Any:
        """Return the inputs of the network, (…, inputs), at points (…, axes)."""
        return _stacked(self.embedding(self.points(columns))) if self.embedding else columns

    def imposed(self, columns: Any, outputs: Any) -> Any:
        """Return the fields, (…, fields), from raw outputs, by the ansatz if there is one."""
        if self.ansatz is None:
            return outputs
        raw = {name: outputs[..., i] for i, name in enumerate(self.fields)}
        fields = self.ansatz(raw, self.points(columns))
        return _stacked([fields[name] for name in self.fields])

    def initial(self, columns: Any) -> Any:
        """Return the given initial state, (…, fields), at points (…, axes)."""
        assert self.initial_state is not None
        state = self.initial_state({self.space.name: self.points(columns)[self.space.name]})
        return _stacked([state[name] for name in self.fields])

    def residuals(self, columns: Any, derivative: Callable[[int, str], Any]) -> list[Any]:
        """Return the problem's residuals, each (…).

        Args:
            columns: points (…, axes).
            derivative: field index, axis letters -> that derivative (…), by the library.
        """
        named: Arrays = {}
        for name in self.equation.needs:
            base, suffix = split_derivative(name)
            if base in self.fields:
                named[name] = derivative(self.fields.index(base), suffix)
            else:
                known = self.equation.known[base]
                named[name] = known(self.points(columns)) if callable(known) else known
        return list(self.equation.residual(named).values())

    def observed(self) -> list[tuple[int, np.ndarray, np.ndarray, float]]:
        """Return field index, points (n, axes), values (n, 1), weight of every observation."""
        found = []
        for o in self.observations:
            values = np.asarray(o.values, dtype=float)[:, None]
            scale = float(np.mean(values**2)) if self._hard else 1.0
            weight = self._alpha0 / (scale or 1.0)
            found.append((self.fields.index(o.field), self.columns(o.points), values, weight))
        return found

    def solution(
        self,
        predict: Callable[[np.ndarray], Any],
        layers: Sequence[tuple[Any, Any]],
        details: Mapping[str, Any],
    ) -> Solution:
        """Return a trained network as a solution.

        Args:
            predict: points (n, axes) -> fields (n, fields).
            layers: weight (out, in) and bias (out,) of every layer, on the host.
            details: what is kept in the record.
        """
        weights = {}
        for i, (weight, bias) in enumerate(layers):
            weights[f"fields.{i}.weight"] = np.array(weight)
            weights[f"fields.{i}.bias"] = np.array(bias)

        def answer(points: dict[str, Any]) -> dict[str, np.ndarray]:
            values = np.asarray(predict(self.columns(points)), dtype=np.float64)
            return {name: values[:, i] for i, name in enumerate(self.fields)}

        return Solution(
            predict=answer,
            weights=weights,
            parameters=sum(values.size for values in weights.values()),
            details=details,
        )


def _stacked(columns: list[Any]) -> Any:
    return array_namespace(columns[0]).stack(columns, axis=-1)
