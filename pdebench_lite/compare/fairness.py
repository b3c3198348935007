"""The fairness audit: under which conditions each entrant ran, and what is unequal in words."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pdebench_lite.compare.entrants import Entrant
from pdebench_lite.records import Record
from pdebench_lite.report.wording import budget_text, clean, stolen_text

OTHER_MACHINE = "other machine"


def is_version(mark: str) -> bool:
    """Whether a mark of a fingerprint is a library's version, not the hash of a source."""
    return "." in mark


@dataclass
class Audit:
    """Conditions of the entrants of one problem.

    Attributes:
        common: conditions that hold for every entrant, in words.
        marks: entrant number -> words for what was different for it.
        values: entrant number -> condition -> its value in words.
        trials: entrant number -> number of configurations of its method that the records hold.
    """

    common: list[str]
    marks: list[list[str]]
    values: list[dict[str, str]]
    trials: list[int]
    elsewhere: list[bool] = field(default_factory=list)


def audit(entrants: Sequence[Entrant]) -> Audit:
    """Compare the conditions of entrants.

    A condition that not all share is named in the row of each entrant that does not have the
    commonest value; where no value has a majority, in every row.
    """
    common: list[str] = []
    marks: list[list[str]] = [[] for _ in entrants]
    values: list[dict[str, str]] = [{} for _ in entrants]
    elsewhere = [False] * len(entrants)
    for name, read, mark in _CONDITIONS:
        words = ["/".join(dict.fromkeys(map(read, e.records))) for e in entrants]
        usual = _usual(words)
        for i, word in enumerate(words):
            values[i][name] = word
            if word != usual:
                marks[i].append(mark(word))
        if len(set(words)) == 1 and words[0]:
            common.append(mark(words[0]))
    machines = [entrant.key.machine for entrant in entrants]
    here = _first_source(entrants, machines)
    for i, entrant in enumerate(entrants):
        elsewhere[i] = machines[i] != here
        values[i]["machine"] = machines[i]
        values[i]["versions"] = _versions_text(entrant.records)
        values[i]["steal"] = stolen_text(entrant.records, least=0.0)
        marks[i] += [OTHER_MACHINE] if elsewhere[i] else []
        marks[i] += [f"from {clean(entrant.key.source)}"] if entrant.key.source else []
    for i, words_of in enumerate(_versions(entrants)):
        marks[i] += words_of
    trials = _trials(entrants)
    for i, entrant in enumerate(entrants):
        if trials[i] > min(trials) and not entrant.classical:
            marks[i].append(f"{trials[i]} trials")
        if entrant.targeted:
            marks[i].append("stops on the error")
        if took := stolen_text(entrant.records):
            marks[i].append(f"host took {took}")
    return Audit(common, marks, values, trials, elsewhere)


def _usual(words: Iterable[str]) -> str | None:
    """Return the value that more than half of the entrants have."""
    counted = Counter(words)
    word, count = counted.most_common(1)[0]
    return word if 2 * count > counted.total() else None


def _first_source(entrants: Sequence[Entrant], machines: Sequence[str]) -> str:
    """Return the machine of the user's own records, the commonest if there are several."""
    own = [m for e, m in zip(entrants, machines, strict=True) if not e.key.source]
    return Counter(own or machines).most_common(1)[0][0]


# ---- conditions: name, value of one record in words, how a row or a caption says it ------------


def _one_at_a_time(word: str) -> str:
    return "one cell at a time" if word == "1" else f"{word} cells at once"


def _threads(word: str) -> str:
    return f"{word} thread{'' if word == '1' else 's'}" if word else "threads unknown"


def _device(record: Record) -> str:
    name = clean(record.device_name)
    return name if name and record.device != "cpu" else clean(record.device)


_CONDITIONS: tuple[tuple[str, Callable[[Record], str], Callable[[str], str]], ...] = (
    ("budget", lambda r: budget_text(r.budget), lambda word: f"budget {word}"),
    ("precision", lambda r: clean(r.dtype), str),
    ("threads", lambda r: "" if r.threads is None else str(r.threads), _threads),
    ("device", _device, str),
    ("at once", lambda r: str(r.concurrency), _one_at_a_time),
    ("resumed", lambda r: "resumed" if r.resumed else "", lambda word: word or "never resumed"),
)


def _trials(entrants: Sequence[Entrant]) -> list[int]:
    """Count, for each entrant, the configurations of its method among the records."""
    labels: dict[str, set[str]] = {}
    for entrant in entrants:
        labels.setdefault(entrant.record.method, set()).add(entrant.key.label)
    return [len(labels[entrant.record.method]) for entrant in entrants]


def _fingerprints(records: Iterable[Record]) -> Mapping[str, str]:
    found: dict[str, list[str]] = {}
    for record in records:
        for name, mark in record.fingerprint.items():
            if mark not in found.setdefault(name, []):
                found[name].append(mark)
    return {name: "/".join(marks) for name, marks in found.items()}


def _versions_text(records: Sequence[Record]) -> str:
    return ", ".join(f"{clean(k)} {clean(v)}" for k, v in sorted(_fingerprints(records).items()))


def _versions(entrants: Sequence[Entrant]) -> list[list[str]]:
    """Name the sources and libraries of an entrant that differ from those of most others."""
    prints = [_fingerprints(entrant.records) for entrant in entrants]
    marks: list[list[str]] = [[] for _ in entrants]
    for name in sorted({name for found in prints for name in found}):
        usual = _usual(found[name] for found in prints if name in found)
        for i, found in enumerate(prints):
            if name in found and found[name] != usual:
                mixed = "/" in found[name]
                version = f"{name} {found[name]}"
                source = f"{'mixed' if mixed else 'other'} {name} source"
                marks[i].append(clean(version if is_version(found[name]) else source))
    return marks
