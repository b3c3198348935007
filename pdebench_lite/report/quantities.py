"""Quantities: the one list from which tables, axes, csv, json, LaTeX, web page and `show` are made.

Whoever adds a quantity here, or by the hook `pdebench_quantities`, adds a column to all of them.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from math import sqrt
from statistics import fmean, median
from typing import Any

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.wording import MISSING, amount, clean, count, error_text
from pdebench_lite.metrics import Metric
from pdebench_lite.registry.discovery import registry
from pdebench_lite.registry.quantity import Place, Quantity
from pdebench_lite.store.records import Record

_ALL: tuple[Place, ...] = ("records", "verbose", "seeds", "final", "page")
_ROWS: tuple[Place, ...] = ("records", "verbose")
_HERE: tuple[Place, ...] = ("records", "verbose", "seeds", "page")


def _word(
    name: str, label: str, meaning: str = "", section: str = "cell", tables: Any = (), **more: Any
) -> Quantity:
    """Describe a word of a record, which nothing sums up over seeds."""
    given = {"written": "word", "over_seeds": "", **more}
    return Quantity(name, label, meaning, section=section, tables=tables, **given)


def _seconds(name: str, label: str, meaning: str, **more: Any) -> Quantity:
    given = {"tables": (), "section": "times", **more}
    return Quantity(
        name, label, meaning, unit="s", machine=True, smaller_is_better=True, **given
    )  # fmt: skip


def _megabytes(name: str, label: str, meaning: str, **more: Any) -> Quantity:
    given = {"tables": (), "section": "memory", **more}
    return Quantity(
        name, label, meaning, unit="MB", machine=True, smaller_is_better=True, **given
    )  # fmt: skip


def _number(name: str, label: str, meaning: str, section: str = "counts", **more: Any) -> Quantity:
    given = {"written": "count", "tables": (), **more}
    return Quantity(name, label, meaning, section=section, **given)


def _inside(name: str, label: str, meaning: str) -> Quantity:
    """Describe what has a table or a part of its own, and is JSON in a cell of csv."""
    return _word(name, label, meaning, section="", written="json")


QUANTITIES: tuple[Quantity, ...] = (
    _word("cell", "Cell", "hash of all that makes the cell", tables=("verbose",)),
    _word("problem_label", "Problem", "selector of the problem", "", head="problem", written="text",
          tables=("page",), facet=True),
    _word("label", "Method", "selector of the method", "", head="method", written="text",
          tables=(*_ROWS, "page"), when="always"),
    _word("problem", "Problem", "name of the problem", ""),
    _word("task", "Task", "what is asked of the problem", ""),
    _word("method", "Method", "name of the method", ""),
    _word("family", "Family", "what the method learns from"),
    _word("backend", "Backend", "library of arrays", tables=(*_ROWS, "page"), section="",
          when="always", facet=True),
    _number("seed", "Seed", "number that all draws follow from", "cell", over_seeds="",
            when="several", tables=(*_ROWS, "page")),
    _word("budget", "Budget", "what the run may use", tables=("records",), when="varies",
          write=lambda r: wording.budget_text(r.budget), read=lambda r: r.budget.model_dump()),
    _number("threads", "Threads", "threads that its library used", "machine", over_seeds="",
            when="varies", tables=("records",), write=wording.threads_text),
    _word("device", "Device", "where its arrays are", tables=_ROWS, when="varies"),
    _word("device_name", "Name of the device", "", head="device name"),
    _word("dtype", "Precision", "type of its numbers", tables=_ROWS, when="varies"),
    _number("concurrency", "Cells at once", "most cells at work on the machine at once", "machine",
            head="cells at once", over_seeds="", when="varies", tables=("records",)),
    _word("variables", "Set by the shell", "variables of the shell that change speed or numbers",
          "", head="shell sets", written="text", when="varies", tables=("records", "page"),
          write=lambda r: wording.variables_text([r]) or MISSING),
    Quantity("steal", "Share that the host took", "share of the processors that the host kept "
             "while charged", head="host took", written="share", least=wording.STOLEN,
             over_seeds="", section="machine", smaller_is_better=True,
             tables=("records", "page")),
    Quantity("waited", "Share that was waited", "share of the processor time it wanted while "
             "charged that other programs had", written="share", least=wording.STOLEN,
             over_seeds="", section="machine", smaller_is_better=True, tables=("records", "page")),
    _word("status", "Status", "how it ended", tables=(*_ROWS, "page"), when="always", facet=True),
    _word("reason", "Reason", "why there is no result", written="text", tables=("page",)),
    _seconds("setup_s", "Time to set up", "imports, reference, plan; not charged"),
    _seconds("charged_s", "Charged time", "data + compile + train", head="charged", tables=_ALL,
             when="always"),
    _seconds("data_s", "Time for data", "drawing and preparing data", head="data"),
    _seconds("compile_s", "Time to compile", "first calls of compiled functions", head="compile",
             tables=("records", "verbose", "seeds"), when="always"),
    _seconds("train_s", "Time to train", "steps", head="train"),
    _seconds("evaluate_s", "Time to score", "scoring; not charged"),
    _seconds("predict_s", "Time of the answer", "answering the final query; part of evaluate"),
    _seconds("resume_s", "Time to resume",
             "data and compilation done again after a kill; not charged"),
    _seconds("wall_s", "Time in all", "the whole cell"),
    _megabytes("memory_mb", "Peak memory", "peak of the device's allocator, or of the host where "
               "there is none, while training", head="memory", tables=("final",), when="always",
               section="",
               read=lambda r: r.peak_host_mb if r.peak_device_mb is None else r.peak_device_mb),
    _megabytes("peak_host_mb", "Peak memory", "peak of the host above its start, while training",
               head="memory", tables=_HERE, when="always"),
    _megabytes("compile_peak_host_mb", "Peak memory to compile", "the same while compiling"),
    _megabytes("peak_device_mb", "Peak device memory", "peak of the device's allocator",
               head="device memory", tables=_HERE),
    _megabytes("process_device_mb", "Device memory of the process",
               "what the driver says the process held at its end"),
    _number("params", "Parameters", "trained parameters or degrees of freedom", tables=_ALL,
            when="always"),
    _number("steps", "Steps", "accepted updates, or time steps", tables=_HERE, when="always"),
    _number("evaluations", "Evaluations", "value-and-gradient calls"),
    _number("resumed", "Resumed", "times that the cell went on from a checkpoint", over_seeds=""),
    _number("restarted", "Restarted", "times that it began again after a kill", over_seeds=""),
    _number("processors", "Processors", "processors that it was given", "machine", over_seeds=""),
    _number("load_start", "Load at the start", "load average at the start", "machine",
            written="amount", over_seeds=""),
    _number("load_end", "Load at the end", "load average at the end", "machine",
            written="amount", over_seeds=""),
    _number("energy_j", "Energy", "joules of packages or GPU while charged, whoever used them",
            "machine", written="amount", unit="J", machine=True, smaller_is_better=True),
    Quantity("reference_bound", "Bound of the reference", "error of the reference", written="error",
             over_seeds="", section="metrics", tables=(), when="always"),
    Quantity("trivial_error", "Error of the trivial answer", "headline error of zero, or of the "
             "mean of the truth: the smaller one", written="error", over_seeds="",
             section="metrics", tables=()),
    _word("reference_kind", "Kind of the reference", "how the reference is certified"),
    Quantity("carried_bound", "Bound of carrying", "error made in carrying the found unknowns",
             written="error", over_seeds="", section="metrics", tables=()),
    _word("target_reached", "Target reached", "whether the run stopped on the error", head="target",
          write=lambda r: {True: "reached", False: "not reached"}.get(r.target_reached, "")),
    _word("started", "Started", "when it began"),
    _word("version", "Version", "of pdebench-lite"),
    _word("environment", "Environment", "hash of machine and versions", ""),
    _inside("problem_params", "Parameters of the problem", "parameters of the problem"),
    _inside("config", "Settings", "settings of the method"),
    _inside("profile", "Error over time", "error of the field at each time"),
    _inside("bands", "Bands", "unknowns as found, with their stated deviation"),
    _inside("costs", "Costs", "counted costs, such as operations"),
    _inside("pools", "Threads of libraries", "threads of each library"),
    _inside("details", "Details", "what the method tells of its run"),
    _inside("fingerprint", "Fingerprint", "sources and versions that can change its numbers"),
    _word("ranked", "Ranked", "metrics that rank, headline first", "",
          write=lambda r: " ".join(map(clean, r.ranked))),
    _word("sees", "Data seen", "what the method was given", written="text", tables=("records",),
          when="always", write=lambda r: wording.sees_text(r.sees)),
)  # fmt: skip
LAST = "sees"


@lru_cache
def quantities() -> dict[str, Quantity]:
    """Return every quantity by name: ours, then those of plugins; what was seen is last."""
    found = dict(registry(("quantity",)).quantities)
    return found | {LAST: found.pop(LAST)}


def further() -> list[Quantity]:
    """Return what records do not hold under a name of their own: what follows from them."""
    held = set(Record.model_fields)
    return [q for q in quantities().values() if q.name not in held and q.section]


def described(name: str) -> Quantity:
    """Return a quantity or a metric by name; of what is not known here, the name alone is."""
    return quantities().get(name) or metric(name)


def metric(name: str) -> Quantity:
    """Return a metric as a quantity; records of elsewhere may have metrics that are not here."""
    known = registry().metrics.get(name)
    return of_metric(known) if known else of_metric(Metric(name, "", lambda e: None))


def of_metric(of: Metric) -> Quantity:
    """Return a metric as a quantity: the one way in which metrics enter reports."""
    name = of.name
    return Quantity(
        name, clean(of.label or name), clean(of.summary), lambda r: r.metrics.get(name),
        clean(name), "" if of.unit == "dimensionless" else clean(of.unit), "error",
        lambda r: wording.metric_text(r, name), over_seeds=of.over_seeds,
        smaller_is_better=of.smaller_is_better, machine=of.machine, section="metrics",
        when="always",
    )  # fmt: skip


# ---- how they are written ----------------------------------------------------------------------

_WRITE: dict[str, Callable[[Any], str]] = {
    "error": error_text,
    "amount": amount,
    "count": count,
    "share": lambda value: MISSING if value is None else f"{value:.0%}",
    "word": lambda value: MISSING if value is None else clean(value),
    "text": lambda value: MISSING if value is None else clean(value),
    "json": lambda value: "" if value is None else wording.as_json(value),
}


def written(quantity: Quantity, record: Record) -> str:
    """Write a quantity of a record for a cell of a table."""
    if quantity.write is not None:
        return quantity.write(record)
    value = quantity.value(record)
    if quantity.least is not None and (value is None or value < quantity.least):
        return ""
    return _WRITE[quantity.written](value)


def told(quantity: Quantity, record: Record) -> str:
    """Write a quantity where a record is described by itself: however small, never shortened."""
    if quantity.write is not None:
        return quantity.write(record)
    value = quantity.value(record)
    return _WRITE[quantity.written](value)


def flat(quantity: Quantity, record: Record) -> Any:
    """Return a quantity as one cell of csv: numbers and words as they are, the rest in words."""
    value = wording.finite(quantity.value(record))
    if isinstance(value, str | int | float | None):
        return value
    text = told(quantity, record)
    return "" if text == MISSING else text


def known(quantity: Quantity, records: Iterable[Record]) -> bool:
    """Say whether any of the records has something to tell of a quantity."""
    return any(written(quantity, record) not in ("", MISSING) for record in records)


# ---- over seeds --------------------------------------------------------------------------------


def over_seeds(quantity: Quantity, records: Iterable[Record]) -> float | None:
    """Sum a quantity up over runs as it says; runs that do not tell it do not count."""
    values = [value for r in records if (value := quantity.value(r)) is not None]
    if not values or not quantity.over_seeds:
        return None
    return float(_OVER_SEEDS[quantity.over_seeds](values))


_OVER_SEEDS: dict[str, Callable[[Any], float]] = {
    "median": median,
    "mean": fmean,
    "rms": lambda values: sqrt(fmean(v * v for v in values)),
    "share": lambda values: fmean(v == 1 for v in values),
}


def over_seeds_text(quantity: Quantity, records: Iterable[Record]) -> str:
    """Write what sums a quantity up over runs."""
    value = over_seeds(quantity, records)
    if value is None:
        return MISSING
    return str(round(value)) if quantity.written == "count" else _WRITE[quantity.written](value)


def columns_of(place: Place, records: Sequence[Record]) -> list[Quantity]:
    """Return the quantities that a table over seeds has columns of: numbers that are known."""
    return [
        q
        for q in quantities().values()
        if place in q.tables and q.numeric and q.over_seeds
        if q.when == "always" or known(q, records)
    ]
