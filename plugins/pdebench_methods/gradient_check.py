"""Whether automatic differentiation sees all of a user's network: derivatives against differences.

What passes through `detach`, NumPy or a rounding has derivatives that are zero or wrong, and a
training that needs them goes on without a word. So each derivative, by the route that the training
takes, is compared with central differences of the one below it, which was compared before.

Differences are taken over a ladder of steps. A derivative is wrong where none of them agrees with
it although two that follow each other agree: a kink near a point, or the rounding of a network that
computes in float32, keeps some from agreeing, but not all.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.numerics import array_namespace
from pdebench_methods.training import OwnNetwork, Tools

_STEPS = 2.0 ** -np.arange(1, 15, 2)
_POINTS = 16
_FEW = 2  # points at which a derivative may be wrong: those at a kink
_TOLERANCE = 1e-2  # of the largest derivative of that order
_DIRECTIONS = 4  # among the weights
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth")

_REMEDY = (
    "leave out what stops differentiation (detach, .data, no_grad, stop_gradient, NumPy, rounding)"
)
_OWN_RULES = (
    " and layers with a wrong rule of their own (a custom backward; in torch nn.LayerNorm from the "
    "third derivative on, of which one is that in the weights)"
)


def without_gradient(
    made: OwnNetwork, tools: Tools, inputs: int, outputs: int, order: int
) -> set[str]:
    """Compare derivatives along points and weights with differences.

    Args:
        made: the network.
        tools: of the backend.
        inputs: their number.
        outputs: their number.
        order: of the derivatives along points that the loss needs.

    Returns:
        The names of weights that matter and get no gradient: their author holds them fixed, as with
        `stop_gradient(self.frequencies)`.

    Raises:
        UnsupportedError: a derivative is lost.
    """
    trial = _Trial(made, tools, inputs, outputs)
    if order:
        trial.along_inputs(order)
    fixed = trial.along_weights(order)
    if fixed and not order:
        try:
            trial.along_inputs(1)
        except UnsupportedError as error:
            raise UnsupportedError(
                f"its weights {', '.join(sorted(fixed))} get no gradient, though its answer "
                f"depends on them; {_REMEDY}"
            ) from error
    return fixed


class _Trial:
    """One network at a few points, its outputs summed with random factors.

    The weights are moved a little from those that were drawn: where a last layer begins at zero,
    so do all derivatives.
    """

    def __init__(self, made: OwnNetwork, tools: Tools, inputs: int, outputs: int) -> None:
        self._call, self._tools, self._inputs = made.call, tools, inputs
        self._rng = rng = np.random.default_rng(0)
        self._weights = {k: v + rng.uniform(-0.1, 0.1, v.shape) for k, v in made.weights.items()}
        self._factors = rng.uniform(0.5, 1.0, outputs) * rng.choice([-1.0, 1.0], outputs)
        self._points = rng.uniform(-1.0, 1.0, (_POINTS, inputs))

    def _derivatives(self, order: int) -> Callable[[Any, Any], Any]:
        """Return (weights, data) -> derivatives of order 0, 1, … along a line, (1 + order, n)."""
        suffixes = tuple("s" * k for k in range(order + 1))

        def found(weights: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
            def on_lines(at: Mapping[str, Any]) -> dict[str, Any]:
                x = data["x"] + at["s"][:, None] * data["v"]
                return {"y": self._call(weights, x) @ data["c"]}

            if not order:
                return on_lines({"s": data["s"]})["y"][None]
            named = self._tools.nested_derivatives(on_lines, {"s": data["s"]}, {"y": suffixes})
            xp = array_namespace(data["s"])
            return xp.stack([named[f"y_{s}" if s else "y"] for s in suffixes])

        return found

    def along_inputs(self, order: int) -> None:
        """Compare derivatives of orders 1, 2, … along each input, and along all of them at once."""
        n = self._inputs
        lines = np.concatenate([np.eye(n), self._rng.uniform(0.5, 1.0, (1, n))])
        shifts = np.concatenate([[0.0], _STEPS, -_STEPS])
        shape = (shifts.size, len(lines), _POINTS)
        data = {
            "s": np.broadcast_to(shifts[:, None, None], shape).ravel(),
            "v": np.broadcast_to(lines[:, None], (*shape, n)).reshape(-1, n),
            "x": np.broadcast_to(self._points, (*shape, n)).reshape(-1, n),
            "c": self._factors,
        }
        found = self._tools.evaluate(self._derivatives(order), self._weights, data)
        found = np.asarray(found, np.float64).reshape(order + 1, *shape)
        rounding = float(np.finfo(self._tools.to_numpy(self._tools.asarray(shifts)).dtype).eps)
        for k in range(1, order + 1):
            below, exact = found[k - 1], found[k, 0]
            ahead, behind = below[1 : 1 + _STEPS.size], below[1 + _STEPS.size :]
            for i in range(len(lines)):
                where = f"input {i + 1} of {n}" if i < n else "all inputs"
                name = f"its {_ordinal(k)} derivative along {where}"
                differences = (ahead - behind)[:, i] / (2.0 * _STEPS[:, None])
                size = float(np.max(np.abs(below[:, i])))
                wrong = _disagree(exact[i], differences, rounding * size)
                if np.count_nonzero(wrong) > _FEW:
                    _refuse(name, exact[i][wrong][0], _settled(differences)[0][wrong][0])
                moved = float(np.max(np.abs(ahead[0, i] - behind[0, i])))
                if not np.any(exact[i]) and moved > np.sqrt(rounding) * size:
                    raise UnsupportedError(f"{name} is 0 wherever it exists, {_flat(k)}")

    def along_weights(self, order: int) -> set[str]:
        """Compare gradients in the weights; return those that matter and get none."""
        derivatives = self._derivatives(order)
        data = {
            "s": np.zeros(_POINTS),
            "v": self._rng.uniform(0.5, 1.0, self._points.shape),
            "x": self._points,
            "c": self._factors,
            "m": self._rng.uniform(0.5, 1.0, _POINTS),
        }

        def sums(weights: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
            return derivatives(weights, data) @ data["m"]

        def at(weights: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
            return self._tools.jacobian(sums, weights, data)

        def differences(direction: Mapping[str, np.ndarray]) -> np.ndarray:
            """Central differences for each step, (steps, 1 + order)."""
            rows = []
            for step in _STEPS:
                ends = [
                    {k: v + sign * step * direction.get(k, 0.0) for k, v in self._weights.items()}
                    for sign in (1.0, -1.0)
                ]
                rows.append((at(ends[0])[0] - at(ends[1])[0]) / (2.0 * step))
            return np.stack(rows).astype(np.float64)

        def drawn(name: str) -> np.ndarray:
            return self._rng.uniform(-1.0, 1.0, self._weights[name].shape)

        values, slopes = at(self._weights)
        rounding = float(np.finfo(values.dtype).eps) * np.abs(values)
        fixed = set()
        for name, slope in slopes.items():
            if not np.any(slope):
                change = differences({name: drawn(name)})
                nothing = np.zeros(1)
                if any(_disagree(nothing, change[:, [k]], rounding[k]) for k in range(order + 1)):
                    fixed.add(name)
        free = [name for name in slopes if name not in fixed]
        found, exact = [], []
        for _ in range(_DIRECTIONS if free else 0):
            direction = {name: drawn(name) for name in free}
            found.append(differences(direction))
            parts = [np.tensordot(slopes[name], d, d.ndim) for name, d in direction.items()]
            exact.append(np.sum(parts, axis=0))
        for k in range(order + 1 if free else 0):
            of_order = np.array([e[k] for e in exact], np.float64)
            compared = np.stack([f[:, k] for f in found], axis=1)
            wrong = _disagree(of_order, compared, rounding[k])
            if np.count_nonzero(wrong) > _FEW:
                what = f"its {_ordinal(k)} derivative along its inputs" if k else "its answer"
                _refuse(
                    f"the gradient of {what} in its weights",
                    of_order[wrong][0],
                    _settled(compared)[0][wrong][0],
                )
        return fixed


def _settled(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the differences on which the steps agree best, (n,), and whether they do agree, (n,).

    Args:
        differences: for each step, (steps, n).
    """
    sizes = np.max(np.abs(differences[1:]), axis=1, keepdims=True)
    changes = np.abs(np.diff(differences, axis=0)) / np.where(sizes > 0.0, sizes, 1.0)
    best, columns = np.argmin(changes, axis=0), np.arange(differences.shape[1])
    return differences[best + 1, columns], changes[best, columns] <= 0.25 * _TOLERANCE


def _disagree(exact: np.ndarray, differences: np.ndarray, rounding: float) -> np.ndarray:
    """Say of each derivative whether differences agree on another number, (n,).

    Args:
        exact: derivatives by automatic differentiation, (n,).
        differences: for each step, (steps, n).
        rounding: of the values that are subtracted.
    """
    value, agree = _settled(differences)
    near = _TOLERANCE * max(float(np.max(np.abs(exact))), float(np.max(np.abs(value))))
    allowed = near + 8.0 * rounding / _STEPS[:, None]
    apart: np.ndarray = agree & np.all(np.abs(differences - exact) > allowed, axis=0)
    return apart


def _ordinal(k: int) -> str:
    return _ORDINALS[k] if k < len(_ORDINALS) else f"{k}th"


def _refuse(name: str, exact: float, difference: float) -> None:
    raise UnsupportedError(
        f"{name} is {exact:.3g} by automatic differentiation, {difference:.3g} by differences; "
        f"{_REMEDY}{_OWN_RULES}"
    )


def _flat(k: int) -> str:
    if k == 1:
        return "as with rounding, argmax or a table, and the loss needs it; compute smoothly"
    return "as with ReLU, and the loss needs it; use a smooth activation such as tanh"
