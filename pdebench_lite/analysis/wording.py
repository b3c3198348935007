"""Words and numbers for people: how a record's values are written in tables and figures.

Labels, reasons and names come from plugins and results folders; `clean` makes them harmless text
before any format adds its own escapes.
"""

import json
import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from pdebench_lite.data_files import short
from pdebench_lite.errors import unknown_name
from pdebench_lite.metrics import Metric
from pdebench_lite.registry.discovery import registry
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import Record
from pdebench_lite.text import counted

MISSING = "–"
AT_BOUND = "≤ bound"
STOLEN = 0.05  # share of processor time that a host, or other programs, took: then tables say so
HOST_TOOK = (
    "host took: the share of processor time that the host of the virtual machine kept, where it "
    f"was {STOLEN:.0%} or more: times are too long"
)
WAITED = (
    "waited: the share of the processor time that a run wanted and other programs had instead, "
    f"where it was {STOLEN:.0%} or more: times are too long, and errors after equal times too large"
)
WITH_LABELS, WITHOUT_LABELS = "given labels", "given no labels"

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SEEN = {
    "initial_state": "initial state",
    "boundary": "boundary",
    "coefficients": "coefficients",
    "ansatz": "ansatz",
    "embedding": "embedding",
    "symmetry": "symmetry",
    "residual": "residual",
    "step": "step",
}


def clean(text: object) -> str:
    """Return one line of visible text: controls, escapes and direction marks removed."""
    line = " ".join(str(text).split())
    if line.isascii() and line.isprintable():  # nearly always, and much faster
        return line
    return "".join(c for c in line if unicodedata.category(c) not in _INVISIBLE)


def shorten(text: str, length: int) -> str:
    """Return text of at most `length` characters, cut with an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def fold(text: str, width: int) -> str:
    """Break a selector after commas and before `· ` so that lines fit `width` where they can."""
    lines = [""]
    for piece in text.replace(",", ",\0").replace(" · ", " \0· ").split("\0"):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return "\n".join(line.strip().removeprefix("· ") for line in lines)


def error_text(value: float | None) -> str:
    """Write an error with two digits, such as 1.3e-02."""
    return MISSING if value is None or not math.isfinite(value) else f"{value:.1e}"


def amount(value: float | None) -> str:
    """Write seconds or megabytes with about three digits, never in powers of ten."""
    if value is None or not math.isfinite(value):
        return MISSING
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def count(value: int | None) -> str:
    """Write a whole number."""
    return MISSING if value is None else str(value)


def finite(value: Any) -> Any:
    """Return JSON values in which every number that is not finite is None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): finite(v) for k, v in value.items()}
    return [finite(v) for v in value] if isinstance(value, list | tuple) else value


def as_json(value: Any) -> str:
    """Write a value as compact, valid JSON."""
    return json.dumps(finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


# ---- records ---------------------------------------------------------------------------------


def sees_text(sees: Mapping[str, int | bool]) -> str:
    """Say what a method saw: `2000 labels`, `1 snapshot (128 values), residual, embedding`."""
    return _sees_text(tuple((name, value, value is True) for name, value in sees.items()))


@lru_cache(maxsize=256)  # thousands of records saw the same few things; to it, 1 equals True
def _sees_text(sees: tuple[tuple[str, int | bool, bool], ...]) -> str:
    left = {name: value for name, value, _ in sees}
    words = []
    if labels := left.pop("labels", 0):
        words.append(counted(labels, "label"))
    observed = left.pop("observed_values", 0)
    values = counted(observed, "value") if observed else ""
    if snapshots := left.pop("snapshots", 0):
        words.append(counted(snapshots, "snapshot") + (f" ({values})" if values else ""))
    elif values:
        words.append(values)
    words += [word for name, word in _SEEN.items() if left.pop(name, False)]
    for name, value in sorted(left.items()):
        word = clean(name.replace("_", " "))
        words += [word] if value is True else [f"{value} {word}"] if value else []
    return ", ".join(words) or MISSING


def given_labels(record: Record) -> bool:
    """Say whether a method had labels; one that died before it took any goes by its family."""
    return bool(record.sees.get("labels")) or (not record.sees and record.family == "supervised")


def bound_of(record: Record, metric: str) -> float | None:
    """Return what an error can be told from zero down to; None where no bound is known."""
    carried = {"rel_l2": 0.0, "rel_l2_carried": record.carried_bound}.get(metric)
    if record.reference_bound is None or carried is None:
        return None
    return record.reference_bound + carried


def bounds_text(records: Iterable[Record]) -> str:
    """Say how far the references of some records can be trusted, and how that is known."""
    records = [record for record in records if record.reference_bound is not None]
    known = {record.reference_bound for record in records if record.reference_bound is not None}
    if not known:
        return "reference bound unknown"
    kinds = sorted({record.reference_kind for record in records} - {""})
    kind = f" ({', '.join(kinds)})" if kinds else ""
    return f"reference bound {'at most ' if len(known) > 1 else ''}{error_text(max(known))}{kind}"


def at_bound(record: Record, metric: str) -> bool:
    """Say whether an error is not above the bound of the truth that it was measured against."""
    value, bound = record.metrics.get(metric), bound_of(record, metric)
    return value is not None and bound is not None and value <= bound


def metric_text(record: Record, metric: str) -> str:
    """Write one metric of a record; errors within the reference's own bound are not told apart."""
    return AT_BOUND if at_bound(record, metric) else error_text(record.metrics.get(metric))


def budget_text(budget: Budget) -> str:
    """Write a budget: `30 s`, `1000 steps`, `30 s, target 1e-03`."""
    parts = []
    if budget.max_time is not None:
        parts.append(f"{budget.max_time:g} s")
    if budget.max_steps is not None:
        parts.append(counted(budget.max_steps, "step"))
    if budget.target_error is not None:
        parts.append(f"target {budget.target_error:g}")
    if budget.max_memory is not None:
        parts.append(f"{budget.max_memory / 1e6:g} MB")
    return ", ".join(parts) or MISSING


def stolen_text(records: Iterable[Record], least: float = STOLEN) -> str:
    """Say what share of the processors the host took: of several records, the largest.

    Args:
        records: finished cells.
        least: below it nothing is said; nor where the share is unknown.
    """
    return _share_text([record.steal for record in records], least)


def waited_text(records: Iterable[Record], least: float = STOLEN) -> str:
    """Say what share of the processor time that was wanted others had: of records, the largest.

    Args:
        records: finished cells.
        least: below it nothing is said; nor where the share is unknown.
    """
    return _share_text([record.waited for record in records], least)


def _share_text(told: Iterable[float | None], least: float) -> str:
    shares = [share for share in told if share is not None]
    if not shares or max(shares) < least:
        return ""
    return f"{'up to ' if len(set(shares)) > 1 else ''}{max(shares):.0%}"


def threads_text(record: Record) -> str:
    """Write the threads that a library used: `2`; `1 of 2` where it was given more processors."""
    if record.threads is None or record.processors in (None, record.threads):
        return count(record.threads)
    return f"{record.threads} of {record.processors}"


def variables_text(records: Iterable[Record]) -> str:
    """Write the variables of the shell that change speed or numbers: `XLA_FLAGS=…`."""
    found = {f"{k}={v}": None for r in records for k, v in sorted(r.variables.items())}
    return clean(" ".join(found))


def tuning(method: str, problem: str = "") -> str:
    """Say what the defaults of a method of this installation were tuned on; empty if unstated.

    Args:
        method: its name.
        problem: label of a problem; trials on other tasks are then only counted. Where all were on
            other tasks, these are named.
    """
    described = registry().methods.get(method)
    parts = described.tunings if described is not None else ()
    near = [part for part in parts if not problem or _task(problem) in map(_task, part.problems)]
    words = [str(part) for part in near]
    if far := [part for part in parts if part not in near]:
        trials = sum(part.trials for part in far)
        names = ", ".join(dict.fromkeys(name for part in far for name in part.problems))
        words.append(
            f"{trials} on other tasks" if near else f"{counted(trials, 'trial')} on {names}"
        )
    return clean(" and ".join(words))


def _task(label: str) -> str:
    """Return the label of a problem without its parameters."""
    return label.partition("[")[0]


# ---- parameters of problems -------------------------------------------------------------------


def varied_parameters(records: Iterable[Record]) -> list[str]:
    """Return the parameters of problems that are not the same in all records."""
    params = [record.problem_params for record in records]
    names = dict.fromkeys(name for mine in params for name in mine)
    return [name for name in names if len({as_json(mine.get(name)) for mine in params}) > 1]


def parameter_order(names: Iterable[str]) -> Callable[[Record], Any]:
    """Return a key that sorts records by parameters of their problems, numbers as numbers."""
    names = list(names)

    def key(record: Record) -> list[tuple[bool, float, str]]:
        values = (record.problem_params.get(name) for name in names)
        return [
            (False, float(v), "") if isinstance(v, int | float) else (True, 0.0, str(v))
            for v in values
        ]

    return key


def parameter_text(record: Record, name: str) -> str:
    """Write a parameter of a record's problem."""
    value = record.problem_params.get(name)
    if value is None:
        return MISSING
    if isinstance(value, str):
        value = short(value)
    return f"{value:.4g}" if isinstance(value, float) else clean(value)


# ---- metrics ---------------------------------------------------------------------------------


def metric_named(name: str) -> Metric | None:
    """Return a metric of this installation; records of elsewhere may have others."""
    return registry().metrics.get(name)


def meaning(name: str) -> str:
    """Return the one line that explains a metric; empty if it is not installed here."""
    metric = metric_named(name)
    return clean(metric.summary) if metric else ""


def shown_metrics(records: Iterable[Record], wanted: Iterable[str] = ()) -> list[str]:
    """Return the names of the metrics to show: those wanted, or the ranked ones, headline first.

    Raises:
        PdebenchError: a wanted metric is neither in a record nor installed.
    """
    records = list(records)
    names = list(dict.fromkeys(wanted))
    known = {m for record in records for m in record.metrics} | set(registry().metrics)
    for name in names:
        if name not in known:
            raise unknown_name("metric", name, known)
    return names or list(dict.fromkeys(m for record in records for m in record.ranked))
