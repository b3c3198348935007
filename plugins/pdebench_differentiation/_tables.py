"""The trace of an expression at one point as tables: values, tangents, adjoints, line by line."""

from typing import Any

import numpy as np

from pdebench_differentiation._trace import BAR, DOT, Traced, record
from pdebench_lite.problem import Expression

Line = dict[str, Any]
"""`name`, `formula` with words in braces, `symbols` (word -> name, number), and `value`."""


def tables(expression: Expression) -> dict[str, Any]:
    """Return `trace`: the evaluation, a forward sweep for each input, and the reverse sweep.

    The intermediate variables are v₁, v₂, … in the order in which they are computed, and the inputs
    x₁ … x_d are v₁₋d … v₀ (Griewank & Walther 2008, table 1.1).

    Returns:
        Lists of lines as JSON values; nothing unless the expression is at one point, has one
        output, and takes its inputs one by one.
    """
    d, n = expression.points.shape
    if n > 1 or expression.outputs > 1:
        return {}
    trace = record(expression.function, expression.points, expression.constants)
    steps = [step for step in trace.steps[1:] if step.row is None]
    if not all(step.rule for step in steps):
        return {}
    rows = [trace.rows[i] for i in sorted(trace.rows)]
    names = {id(row): f"v{row.row + 1 - d}" for row in rows if row.row is not None}
    names |= {id(step): f"v{i}" for i, step in enumerate(steps, 1)}
    sweeps = _Sweeps(names, rows, steps)
    return {
        "trace": {
            "evaluation": [
                *map(sweeps.given, rows),
                *map(sweeps.valued, steps),
                sweeps.result(trace.output),
            ],
            "forward": [sweeps.forward(row) for row in rows],
            "reverse": sweeps.reverse(trace.output),
        }
    }


class _Sweeps:
    """Sweeps over scalars that write down each line."""

    def __init__(self, names: dict[int, str], rows: list[Traced], steps: list[Traced]) -> None:
        self.names, self.rows, self.steps = names, rows, steps

    def given(self, row: Traced) -> Line:
        """Return the line of an input."""
        value = _number(row.value)
        return _line(self.names[id(row)], "{x}", {"x": [f"x{_count(row)}", value]}, value)

    def valued(self, step: Traced) -> Line:
        """Return the line of an intermediate variable."""
        assert step.rule is not None, "matrix products are not written down"
        return _line(
            self.names[id(step)], step.rule.formula, self._operands(step), _number(step.value)
        )

    def result(self, output: Traced) -> Line:
        """Return the line of the output."""
        value = _number(output.value)
        return _line("y", "{y}", {"y": [self.names[id(output)], value]}, value)

    def forward(self, seed: Traced) -> list[Line]:
        """Sweep forward with the tangent 1 of one input: values and tangents in turn."""
        tangents: dict[int, float] = {}
        lines = []
        for row in self.rows:
            tangents[id(row)] = float(row is seed)
            symbols = {"x": [f"x{DOT}{_count(row)}", tangents[id(row)]]}
            name = self._marked(row, DOT)
            lines += [self.given(row), _line(name, "{x}", symbols, tangents[id(row)])]
        for step in self.steps:
            assert step.push is not None
            assert step.rule is not None
            symbols = self._operands(step)
            symbols["v"] = [self.names[id(step)], _number(step.value)]
            for word, operand in zip(("da", "db"), step.operands, strict=False):
                known = isinstance(operand, Traced)
                symbols[word] = (
                    [self._marked(operand, DOT), tangents[id(operand)]] if known else ["0", 0.0]
                )
            pushed = step.push(*(np.full((1, 1, 1), tangents[id(p)]) for p in step.parents))
            tangents[id(step)] = _number(pushed)
            name = self._marked(step, DOT)
            lines += [
                self.valued(step), _line(name, step.rule.tangent, symbols, tangents[id(step)])
            ]  # fmt: skip
        result = lines[-1]
        return [*lines, _line(f"∂y/∂x{_count(seed)}", "{y}", _same(result), result["value"])]

    def reverse(self, output: Traced) -> list[Line]:
        """Sweep back from the adjoint 1 of the output: a line for each contribution."""
        adjoints = {id(output): 1.0}
        lines = [_line(self._marked(output, BAR), "{y}", {"y": [f"y{BAR}", 1.0]}, 1.0)]
        for step in reversed(self.steps):
            if id(step) not in adjoints:
                continue
            assert step.pull is not None
            assert step.rule is not None
            pulled = iter(step.pull(np.full((1, 1, 1), adjoints[id(step)])))
            for term, operand in zip(step.rule.adjoints, step.operands, strict=True):
                if not isinstance(operand, Traced):
                    continue
                symbols = self._operands(step)
                symbols["v"] = [self.names[id(step)], _number(step.value)]
                symbols["gv"] = [self._marked(step, BAR), adjoints[id(step)]]
                name, before = self._marked(operand, BAR), adjoints.get(id(operand))
                if before is not None:
                    symbols["so"] = [name, before]
                    sign = " - " if term.startswith("-") else " + "
                    term = "{so}" + sign + term.removeprefix("-")
                adjoints[id(operand)] = (before or 0.0) + _number(next(pulled))
                lines.append(_line(name, term, symbols, adjoints[id(operand)]))
        for row in self.rows:
            symbols = {"g": [self._marked(row, BAR), adjoints.get(id(row), 0.0)]}
            lines.append(_line(f"∂y/∂x{_count(row)}", "{g}", symbols, symbols["g"][1]))
        return lines

    def _operands(self, step: Traced) -> dict[str, list[Any]]:
        """Return name and number of the operands, and sine and cosine of the first."""
        symbols: dict[str, list[Any]] = {}
        for word, operand in zip("ab", step.operands, strict=False):
            if isinstance(operand, Traced):
                symbols[word] = [self.names[id(operand)], _number(operand.value)]
            else:
                symbols[word] = [f"{operand:g}", float(operand)]
        name, value = symbols["a"]
        symbols["ca"] = [f"cos({name})", float(np.cos(value))]
        symbols["sa"] = [f"sin({name})", float(np.sin(value))]
        return symbols

    def _marked(self, step: Traced, mark: str) -> str:
        name = self.names[id(step)]
        return name[0] + mark + name[1:]


def _line(name: str, formula: str, symbols: dict[str, list[Any]], value: float) -> Line:
    used = {word: known for word, known in symbols.items() if f"{{{word}}}" in formula}
    return {"name": name, "formula": formula, "symbols": used, "value": value}


def _same(line: Line) -> dict[str, list[Any]]:
    return {"y": [line["name"], line["value"]]}


def _count(row: Traced) -> int:
    assert row.row is not None, "an input has a number"
    return row.row + 1


def _number(values: np.ndarray) -> float:
    return float(np.ravel(values)[0])
