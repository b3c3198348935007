"""Selectors: `name[:task][key=value,…]`, the way problems and methods are named everywhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pdebench_lite.data_files import short, unhashed
from pdebench_lite.errors import PdebenchError, unknown_name

_OPENING, _CLOSING, _QUOTES = "[{(", "]})", "\"'"


class Settings(BaseModel):
    """Base of every parameter and configuration model: immutable, unknown keys are errors.

    A setting that names a file of data has the type `DataFile`: its contents count, not its path.
    """

    # Building a validator takes milliseconds; listing many methods needs none of theirs.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @classmethod
    def code_paths(cls, values: Mapping[str, Any], backend: str) -> tuple[str, ...]:
        """Return the paths, `package.module:object`, of the code that values name.

        What it reaches by import counts in the fingerprint of a cell.

        Args:
            values: settings as a record keeps them.
            backend: of the cell.
        """
        return ()


S = TypeVar("S", bound=Settings)


@dataclass(frozen=True)
class Selector:
    """A parsed selector; `task` is empty where none was named."""

    name: str
    task: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


def split_outside(text: str, separator: str = ",") -> list[str]:
    """Split `text` at a separator that stands outside brackets and quotes.

    Raises:
        PdebenchError: a bracket or a quote is not closed.
    """
    parts, start, depth, quote, escaped = [], 0, 0, "", False
    for i, char in enumerate(text):
        if escaped:
            escaped = False
        elif quote:
            escaped = quote == '"' and char == "\\"  # as JSON reads it
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
            if depth < 0:
                raise PdebenchError(f"'{char}' closes nothing in '{text}'")
        elif char == separator and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    if quote or depth:
        raise PdebenchError(f"{'quote' if quote else 'bracket'} not closed in '{text}'")
    return [part.strip() for part in [*parts, text[start:]]]


def parse_value(text: str) -> Any:
    """Read a JSON scalar or list, a quoted text, or a bare word (returned as it is).

    Raises:
        PdebenchError: brackets are nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise PdebenchError(f"'{text[:20]}…' is nested too deeply") from None
    except ValueError:  # no JSON, or a whole number of more than 4300 digits
        if len(text) >= 2 and text[0] == text[-1] == "'":
            return text[1:-1]
        if text.startswith("[") and text.endswith("]"):  # a list may hold bare words
            return [parse_value(part) for part in split_outside(text[1:-1]) if part]
        return {"True": True, "False": False, "None": None}.get(text, text)


def parse_selector(text: str) -> Selector:
    """Parse one selector.

    Raises:
        PdebenchError: the text is not a selector; the message shows the form expected.
    """
    head, bracket, rest = text.strip().partition("[")
    if bracket and not rest.endswith("]"):
        raise PdebenchError(f"'{text}' does not end with ']'; write name[key=value,…]")
    name, _, task = head.strip().partition(":")
    for word in (name, task) if ":" in head else (name,):
        if not word or not all(c.isalnum() or c in "-_" for c in word):
            raise PdebenchError(f"'{text}' is not a selector; write name[:task][key=value,…]")
    values: dict[str, Any] = {}
    for part in split_outside(rest[:-1]) if bracket else []:
        if not part:
            continue
        key, equals, value = part.partition("=")
        key = key.strip()
        if not equals or not key or not value.strip():
            raise PdebenchError(f"'{part}' in '{text}' is not key=value")
        if key in values:
            raise PdebenchError(f"'{key}' is given twice in '{text}'")
        values[key] = parse_value(value.strip())
    return Selector(name, task, values)


def parse_selectors(text: str) -> list[Selector]:
    """Parse a comma-separated list of selectors; commas inside brackets do not split."""
    selectors = [parse_selector(part) for part in split_outside(text) if part]
    if not selectors:
        raise PdebenchError(f"'{text}' names nothing; write name[key=value,…]")
    return selectors


def fill(model: type[S], values: Mapping[str, Any], owner: str) -> S:
    """Fill a settings model, turning validation errors into one line.

    Args:
        model: the pydantic model.
        values: what the user gave.
        owner: whose settings these are, for the message, such as "method pinn".

    Raises:
        PdebenchError: an unknown key (the nearest is suggested) or a bad value.
    """
    for key in values:
        if key not in model.model_fields:
            raise unknown_name(f"parameter of {owner}:", key, model.model_fields)
    try:
        return model(**values)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        value = first["input"] if place else dict(values)
        value = short(value) if isinstance(value, str) else value
        message = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        label = f"{place}={value!r}" if place else f"{value!r}"
        raise PdebenchError(f"{owner}: {label}: {message[0].lower()}{message[1:]}") from None


def changed(settings: Settings) -> dict[str, Any]:
    """Return the fewest settings that make the same, as JSON values.

    Those at their defaults are left out, and so are those that another one, such as a preset,
    brings with it.
    """
    model, kept = type(settings), settings.model_dump(mode="json")
    for name in sorted(kept):
        fewer = {key: value for key, value in kept.items() if key != name}
        try:
            same = model(**fewer) == settings
        except ValidationError:
            same = False
        if same:
            kept = fewer
    return kept


def canonical(name: str, values: Mapping[str, Any]) -> str:
    """Write the canonical form of a selector: keys sorted, values as JSON or bare words."""
    if not values:
        return name
    return f"{name}[{','.join(f'{k}={_write(v)}' for k, v in sorted(values.items()))}]"


def names_of(label: str) -> set[str]:
    """Return what a label goes by where records are chosen.

    Itself; without its parameters, as all that have some; and, with none, with empty brackets.
    A file of data goes by its name, too.
    """
    base = label.partition("[")[0]
    return {label, base, f"{base}[]"} if label == base else {label, base, unhashed(label)}


def _write(value: Any) -> str:
    value = short(value) if isinstance(value, str) else value
    if isinstance(value, str) and _is_bare(value):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _is_bare(text: str) -> bool:
    """Say whether a text is read back as itself without quotes."""
    plain = text.isprintable() and text.strip() == text and not set(text) & set(",[]{}()\"'=")
    return bool(text) and plain and parse_value(text) == text
