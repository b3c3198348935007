"""A task in the words of a PINN library: columns of coordinates, columns of outputs."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import Arrays, Unknown, split_derivative
from pdebench_lite.problem.observations import scales
from pdebench_lite.problem.view import View
from pdebench_methods.unknowns import start_of, value_of
from pdebench_peers.settings import Recipe


class Observed(NamedTuple):
    """Values of one field that were measured, as a term of the loss.

    Attributes:
        name: of the term.
        field: index of the field.
        points: where, (n, axes).
        values: what, (n, 1).
        weight: of their mean square misfit.
    """

    name: str
    field: int
    points: np.ndarray
    values: np.ndarray
    weight: float


class Statement:
    """What a task gives to a library that knows nothing of it; arrays of any backend.

    Args:
        view: the task.
        axes: names of its axes in the order in which the library has its input columns.
        recipe: network and points, whether embedding and ansatz are used.
    """

    def __init__(self, view: View, axes: Sequence[str], recipe: Recipe) -> None:
        self.axes, self.fields, self.recipe = tuple(axes), view.fields, recipe
        assert view.domain.time is not None
        self.space, self.time = view.domain.space[0], view.domain.time
        self.equation = view.equation()
        self.sought = {u.name: u for u in view.unknowns if u.kind == "coefficient"}
        self.embedding = view.embedding() if recipe.hard else None
        self.ansatz = view.ansatz() if recipe.hard else None
        self.observations = view.observations()
        self.initial_state = (
            view.initial_state if view.given("initial_state") and not self.ansatz else None
        )

    @property
    def inputs(self) -> int:
        """Number of inputs of the network."""
        return self.features(np.zeros((1, len(self.axes)))).shape[-1]

    @property
    def sizes(self) -> list[int]:
        """Widths of the network's layers: inputs, hidden, fields."""
        return [self.inputs, *self.recipe.hidden, len(self.fields)]

    @property
    def count(self) -> int:
        """Number of residuals."""
        nowhere = np.zeros((1, len(self.axes)))
        raw = {name: np.asarray(value) for name, value in self.start.items()}
        return len(self.residuals(nowhere, lambda field, suffix: nowhere[:, 0], raw))

    @property
    def start(self) -> dict[str, float]:
        """What stands for each sought coefficient when training begins."""
        first = start_of if self.recipe.hard else _guess
        return {name: first(unknown) for name, unknown in self.sought.items()}

    def coefficients(self, raw: Mapping[str, Any]) -> Arrays:
        """Return the sought coefficients, arrays of one value, from what is trained."""
        if not self.recipe.hard:
            return dict(raw)
        return {name: value_of(unknown, raw[name]) for name, unknown in self.sought.items()}

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

    def residuals(
        self, columns: Any, derivative: Callable[[int, str], Any], raw: Mapping[str, Any]
    ) -> list[Any]:
        """Return the problem's residuals, each (…).

        Args:
            columns: points (…, axes).
            derivative: field index, axis letters -> that derivative (…), by the library.
            raw: what is trained in the place of the sought coefficients.
        """
        found = self.coefficients(raw)
        named: Arrays = {}
        for name in self.equation.needs:
            base, suffix = split_derivative(name)
            if base in self.fields:
                named[name] = derivative(self.fields.index(base), suffix)
            elif base in found:
                named[name] = found[base]
            else:
                known = self.equation.known[base]
                named[name] = known(self.points(columns)) if callable(known) else known
        return list(self.equation.residual(named).values())

    def one_by_one(
        self, value: Callable[[int], Any], along: Callable[[Any, str], Any]
    ) -> Callable[[int, str], Any]:
        """Return field index, axis letters -> derivative, taken axis after axis.

        Args:
            value: field index -> what the library differentiates.
            along: that, axis letter -> its derivative; taken once, so that u_x serves u_xx too.
        """

        @cache
        def derivative(field: int, suffix: str) -> Any:
            return along(derivative(field, suffix[:-1]), suffix[-1]) if suffix else value(field)

        return derivative

    def observed(self) -> list[Observed]:
        """Return every observation with its weight."""
        found = []
        units = scales(self.observations, self._start())
        for i, (o, unit) in enumerate(zip(self.observations, units, strict=True)):
            values = np.asarray(o.values, dtype=float)[:, None]
            scale = unit**2 if self.recipe.hard else 1.0
            weight, field = self.recipe.alpha0 / scale, self.fields.index(o.field)
            found.append(Observed(f"observed{i}", field, self.columns(o.points), values, weight))
        return found

    def _start(self) -> Arrays:
        """Return the initial state at some points, where the ansatz knows it; else nothing."""
        if self.ansatz is None:
            return {}
        x = self.space.lower + self.space.length * (np.arange(1000) + 0.5) / 1000
        points = {self.space.name: x, self.time.name: np.full(x.size, self.time.lower)}
        return self.ansatz(dict.fromkeys(self.fields, np.zeros(x.size)), points)


def _guess(unknown: Unknown) -> float:
    return unknown.guess


def _stacked(columns: list[Any]) -> Any:
    return array_namespace(columns[0]).stack(columns, axis=-1)
