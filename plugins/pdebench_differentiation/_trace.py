"""The evaluation trace of an expression, swept back with adjoints, and written down both ways.

An expression runs on `Traced` arrays as on any other; each elementary operation is noted with its
partial derivatives. Griewank & Walther 2008, doi:10.1137/1.9780898717761: the trace is that of
table 1.1, the forward sweep section 3.1, the reverse sweep section 3.2.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from weakref import ref

import numpy as np

DOT, BAR = "\u0307", "\u0304"  # combining: v̇ is a tangent, v̄ an adjoint


@dataclass(frozen=True)
class Rule:
    """An elementary operation v = f(a) or f(a, b), in numbers and in words.

    Words name the operands a and b, the result v, tangents da and db, the adjoint gv, and what
    else the slope needs: ca is cos(a), sa is sin(a).

    Attributes:
        value: f.
        partials: maps a, b and v to ∂v/∂a and ∂v/∂b; one number for a function of a alone.
        formula, tangent: v and its tangent in words.
        adjoints: what is added to the adjoint of a, and to that of b.
    """

    value: Callable[..., Any]
    partials: Callable[..., tuple[Any, ...]]
    formula: str
    tangent: str
    adjoints: tuple[str, ...]


_ADD = Rule(np.add, lambda a, b, v: (1.0, 1.0), "{a} + {b}", "{da} + {db}", ("{gv}", "{gv}"))
_SUB = Rule(np.subtract, lambda a, b, v: (1.0, -1.0), "{a} - {b}", "{da} - {db}",
            ("{gv}", "-{gv}"))  # fmt: skip
_MUL = Rule(np.multiply, lambda a, b, v: (b, a), "{a} * {b}", "{da} * {b} + {a} * {db}",
            ("{gv} * {b}", "{gv} * {a}"))  # fmt: skip
_DIV = Rule(np.divide, lambda a, b, v: (1.0 / b, -v / b), "{a} / {b}", "({da} - {v} * {db}) / {b}",
            ("{gv} / {b}", "-{gv} * {v} / {b}"))  # fmt: skip
_NEG = Rule(np.negative, lambda a, v: (-1.0,), "-{a}", "-{da}", ("-{gv}",))
_EXP = Rule(np.exp, lambda a, v: (v,), "exp({a})", "{v} * {da}", ("{gv} * {v}",))
_SIN = Rule(np.sin, lambda a, v: (np.cos(a),), "sin({a})", "{ca} * {da}", ("{gv} * {ca}",))
_COS = Rule(np.cos, lambda a, v: (-np.sin(a),), "cos({a})", "-{sa} * {da}", ("-{gv} * {sa}",))
_TANH = Rule(np.tanh, lambda a, v: (1.0 - v * v,), "tanh({a})", "(1 - {v} * {v}) * {da}",
             ("{gv} * (1 - {v} * {v})",))  # fmt: skip


class Traced:
    """An array on a trace.

    Attributes:
        value: the array, (rows, n).
        rule: the operation that made it; None for the inputs, their rows, and matrix products.
        operands: what it was made of: arrays on the trace, or constants.
        push: maps a tangent of each operand that is on the trace to the tangent of the value;
            None where no rule made it.
        pull: maps an adjoint of the value to adjoints of those operands.
        row: number of the input that it is, or None.
    """

    __array_ufunc__ = None  # ndarray∘Traced is left to Traced

    def __init__(
        self,
        trace: "Trace",
        value: np.ndarray,
        operands: tuple[Any, ...] = (),
        push: Callable[..., np.ndarray] | None = None,
        pull: Callable[[np.ndarray], list[np.ndarray]] | None = None,
        rule: Rule | None = None,
        row: int | None = None,
    ) -> None:
        # By a weak reference, so that a trace is freed at once and not by the garbage collector.
        self._trace = ref(trace)
        self.value, self.rule, self.operands = value, rule, operands
        self.push, self.pull, self.row = push, pull, row
        trace.steps.append(self)

    @property
    def trace(self) -> "Trace":
        """The trace, which whoever records it keeps."""
        trace = self._trace()
        assert trace is not None, "the trace is gone"
        return trace

    @property
    def parents(self) -> list["Traced"]:
        """The operands that are on the trace."""
        return [operand for operand in self.operands if isinstance(operand, Traced)]

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return _NAMESPACE

    def __getitem__(self, key: Any) -> "Traced":
        """Take rows; a row of the inputs is taken once, however often it is asked for."""
        if self is self.trace.inputs and isinstance(key, slice):
            rows = range(self.value.shape[0])[key]
            if len(rows) == 1:
                if rows[0] not in self.trace.rows:
                    self.trace.rows[rows[0]] = self._taken(key, rows[0])
                return self.trace.rows[rows[0]]
        return self._taken(key, None)

    def _taken(self, key: Any, row: int | None) -> "Traced":
        def pull(adjoint: np.ndarray) -> list[np.ndarray]:
            whole = np.zeros(adjoint.shape[:1] + self.value.shape, adjoint.dtype)
            whole[:, key] = adjoint
            return [whole]

        return Traced(self.trace, self.value[key], (self,), pull=pull, row=row)

    def __rmatmul__(self, matrix: np.ndarray) -> "Traced":
        return Traced(
            self.trace,
            matrix @ self.value,
            (self,),
            pull=lambda adjoint: [matrix.T @ adjoint],
        )

    def __neg__(self) -> "Traced":
        return _apply(_NEG, self)

    def __add__(self, other: Any) -> "Traced":
        return _apply(_ADD, self, other)

    def __radd__(self, other: Any) -> "Traced":
        return _apply(_ADD, other, self)

    def __sub__(self, other: Any) -> "Traced":
        return _apply(_SUB, self, other)

    def __rsub__(self, other: Any) -> "Traced":
        return _apply(_SUB, other, self)

    def __mul__(self, other: Any) -> "Traced":
        return _apply(_MUL, self, other)

    def __rmul__(self, other: Any) -> "Traced":
        return _apply(_MUL, other, self)

    def __truediv__(self, other: Any) -> "Traced":
        return _apply(_DIV, self, other)

    def __rtruediv__(self, other: Any) -> "Traced":
        return _apply(_DIV, other, self)


def _apply(rule: Rule, *operands: Any) -> Traced:
    values = [o.value if isinstance(o, Traced) else o for o in operands]
    value = rule.value(*values)
    partials = [
        (p, o.value.shape)
        for p, o in zip(rule.partials(*values, value), operands, strict=True)
        if isinstance(o, Traced)
    ]
    trace = next(o.trace for o in operands if isinstance(o, Traced))

    def push(*tangents: np.ndarray) -> np.ndarray:
        total: Any = 0.0
        for (partial, _), tangent in zip(partials, tangents, strict=True):
            total = total + partial * tangent
        return np.broadcast_to(total, (len(total), *value.shape))

    def pull(adjoint: np.ndarray) -> list[np.ndarray]:
        return [_summed(partial * adjoint, shape) for partial, shape in partials]

    return Traced(trace, value, operands, push, pull, rule)


def _summed(adjoint: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum over the axes along which an operand of that shape was stretched."""
    stretched = [i + 1 for i, n in enumerate(shape) if n == 1 != adjoint.shape[i + 1]]
    return adjoint.sum(axis=tuple(stretched), keepdims=True) if stretched else adjoint


_NAMESPACE = SimpleNamespace(
    exp=lambda x: _apply(_EXP, x),
    sin=lambda x: _apply(_SIN, x),
    cos=lambda x: _apply(_COS, x),
    tanh=lambda x: _apply(_TANH, x),
)


class Trace:
    """A record of all operations from the inputs to the output, in their order.

    Attributes:
        steps: everything on the trace, the inputs first.
        rows: the inputs that were taken one by one.
        inputs: (d, n).
        output: (m, n).
    """

    output: Traced

    def __init__(self, x: np.ndarray) -> None:
        self.steps: list[Traced] = []
        self.rows: dict[int, Traced] = {}
        self.inputs = Traced(self, x)

    def pull(self, adjoints: np.ndarray) -> np.ndarray:
        """Sweep back: maps adjoints of the output, (k, m, n), to those of the inputs."""
        waiting = {id(self.output): adjoints}
        for step in reversed(self.steps[1:]):
            adjoint = waiting.pop(id(step), None)
            if adjoint is None or step.pull is None:
                continue
            for parent, part in zip(step.parents, step.pull(adjoint), strict=True):
                so_far = waiting.get(id(parent))
                waiting[id(parent)] = part if so_far is None else so_far + part
        return waiting[id(self.inputs)]


def record(function: Callable[[Any, Any], Any], x: np.ndarray, constants: Any) -> Trace:
    """Evaluate an expression and keep its trace."""
    trace = Trace(x)
    trace.output = function(trace.inputs, constants)
    return trace
