"""An evaluation trace as text: values, tangents and adjoints line by line, as textbooks print it.

Drawn from what a method of differentiation left in its record's details: lines of a name, a formula
with words in braces, the name and the number that each word stands for, and the value.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from pdebench_lite.analysis.wording import clean

_WORD = re.compile(r"\{(\w+)\}")


def traced(details: Any) -> Iterator[str]:
    """Yield the lines of a trace: the evaluation, a forward sweep for each input, the reverse one.

    Nothing is yielded for details that hold no trace, or one that cannot be read.
    """
    trace = details.get("trace")
    if not isinstance(trace, dict):
        return
    blocks = [("evaluation trace", trace.get("evaluation"))]
    forward = trace.get("forward")
    for i, lines in enumerate(forward if isinstance(forward, list) else [], 1):
        blocks.append((f"forward mode, tangents with ẋ{i} = 1 (one sweep for each input)", lines))
    blocks.append(("reverse mode, adjoints with ȳ = 1 (one sweep for all inputs)",
                   trace.get("reverse")))  # fmt: skip
    for title, lines in blocks:
        try:
            rows = [_cells(line) for line in lines or []]
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            continue
        if rows:
            yield title
            yield from _aligned(rows)
            yield ""


def _cells(line: dict[str, Any]) -> list[str]:
    """Return name, formula, formula in numbers, and value; a formula of one word has no numbers."""
    formula, symbols = str(line["formula"]), line["symbols"]
    words = _WORD.sub(lambda found: clean(symbols[found[1]][0]), formula)
    numbers = _WORD.sub(lambda found: _factor(symbols[found[1]][1], formula), formula)
    result = line["name"] == "y" or line["name"].startswith("∂")
    value = f"{float(line['value']):.5f}" if result else f"{float(line['value']):.4f}"
    alone = re.fullmatch(r"-?\{\w+\}", formula)
    return [clean(line["name"]), words, "" if alone else numbers, value]


def _factor(number: float, formula: str) -> str:
    """Write a number, in parentheses where its sign would follow an operator."""
    text = f"{float(number):.4f}"
    return f"({text})" if text.startswith("-") and not _WORD.fullmatch(formula) else text


def _aligned(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(_width(row[i]) for row in rows) for i in range(4)]
    for name, words, numbers, value in rows:
        line = f"  {_padded(name, widths[0])} = {_padded(words, widths[1])}"
        line += f" {'=' if numbers else ' '} {_padded(numbers, widths[2])}" if widths[2] else ""
        yield f"{line} = {value:>{widths[3]}}"


def _width(text: str) -> int:
    """Return the columns that a text takes; marks over letters take none."""
    return sum(not unicodedata.combining(c) for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
