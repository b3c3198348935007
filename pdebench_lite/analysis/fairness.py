"""The fairness audit: under which conditions each entrant ran, and what is unequal in words."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.wording import (
    budget_text,
    clean,
    stolen_text,
    threads_text,
    variables_text,
    waited_text,
)
from pdebench_lite.store.marks import by_package, is_version, other_sources
from pdebench_lite.store.records import Record
from pdebench_lite.text import counted

OTHER_MACHINE = "other machine"
OTHER_SOURCE, MIXED_SOURCE = "other source", "mixed source"


@dataclass
class Audit:
    """Conditions of the entrants of one problem.

    Attributes:
        common: conditions that hold for every entrant, or for those whose row does not name
            another, in words.
        marks: entrant number -> words for what was different for it.
        values: entrant number -> condition, by its quantity's name -> its value in words.
        trials: entrant number -> number of configurations of its method that the records hold.
        elsewhere: entrant number -> whether it ran on another machine than the others.
        sources: mark of entrants that ran other code than most -> the packages that differ.
    """

    common: list[str]
    marks: list[list[str]]
    values: list[dict[str, str]]
    trials: list[int]
    elsewhere: list[bool] = field(default_factory=list)
    sources: dict[str, list[str]] = field(default_factory=dict)


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
        if usual:
            other = " unless a row says otherwise" if len(set(words)) > 1 else ""
            common.append(mark(usual) + other)
    machines = [entrant.key.machine for entrant in entrants]
    here = _first_source(entrants, machines)
    for i, entrant in enumerate(entrants):
        elsewhere[i] = machines[i] != here
        values[i]["machine"] = machines[i]
        values[i]["versions"] = _versions_text(entrant.records)
        values[i]["steal"] = stolen_text(entrant.records, least=0.0)
        values[i]["variables"] = variables_text(entrant.records)
        values[i]["waited"] = waited_text(entrant.records, least=0.0)
        marks[i] += [OTHER_MACHINE] if elsewhere[i] else []
        marks[i] += [f"from {clean(entrant.key.source)}"] if entrant.key.source else []
    shell = {of["variables"] for of in values}  # what a backend does not read, its rows never name
    if len(shell) == 1:
        common += filter(None, shell)
    for i, of_noise in enumerate(_other_draws(entrants)):
        marks[i] += of_noise
    groups, sources = _sources(entrants)
    for i, words_of in enumerate(zip(groups, _libraries(entrants), strict=True)):
        marks[i] += chain(*words_of)
    trials = _trials(entrants)
    for i, entrant in enumerate(entrants):
        if trials[i] > min(trials) and not entrant.classical:
            marks[i].append(f"{trials[i]} trials")
        if entrant.targeted:
            marks[i].append("stops on the error")
        if took := stolen_text(entrant.records):
            marks[i].append(f"host took {took}")
        if len(shell) > 1 and values[i]["variables"]:
            marks[i].append(values[i]["variables"])
        if waited := waited_text(entrant.records):
            marks[i].append(f"waited {waited}")
    return Audit(common, marks, values, trials, elsewhere, sources)


def _usual(words: Iterable[str]) -> str | None:
    """Return the value that more than half of the entrants have."""
    counted = Counter(words)
    word, count = counted.most_common(1)[0]
    return word if 2 * count > counted.total() else None


def _first_source(entrants: Sequence[Entrant], machines: Sequence[str]) -> str:
    """Return the machine of the user's own records, the commonest if there are several."""
    own = [m for e, m in zip(entrants, machines, strict=True) if not e.key.source]
    return Counter(own or machines).most_common(1)[0][0]


def _other_draws(entrants: Sequence[Entrant]) -> list[list[str]]:
    """Name the seeds of an entrant that saw other draws of the noise than most on its problems.

    Without noise seeds are a method's own affair: a solver that draws nothing has one.
    """
    drawn: dict[frozenset[str], dict[int, str]] = {}
    for i, entrant in enumerate(entrants):
        if any(r.problem_params.get("noise") for r in entrant.records):
            seeds = ", ".join(map(str, sorted({r.seed for r in entrant.records})))
            drawn.setdefault(frozenset(r.problem_label for r in entrant.records), {})[i] = seeds
    marks: list[list[str]] = [[] for _ in entrants]
    for words in drawn.values():
        usual = _usual(words.values())
        for i, seeds in words.items():
            if seeds != usual:
                marks[i].append(f"noise of seed{'s' * (',' in seeds)} {seeds}")
    return marks


# ---- conditions: name, value of one record in words, how a row or a caption says it ------------


def _one_at_a_time(word: str) -> str:
    return "one cell at a time" if word == "1" else f"{word} cells at once"


def _threads(word: str) -> str:
    return counted(word, "thread") if word else "threads unknown"


def _device(record: Record) -> str:
    name = clean(record.device_name)
    return name if name and record.device != "cpu" else clean(record.device)


_CONDITIONS: tuple[tuple[str, Callable[[Record], str], Callable[[str], str]], ...] = (
    ("budget", lambda r: budget_text(r.budget), lambda word: f"budget {word}"),
    ("dtype", lambda r: clean(r.dtype), str),
    ("threads", lambda r: "" if r.threads is None else threads_text(r), _threads),
    ("device", _device, str),
    ("concurrency", lambda r: str(r.concurrency), _one_at_a_time),
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
        for name, mark in by_package(record.fingerprint).items():
            if mark not in found.setdefault(name, []):
                found[name].append(mark)
    return {name: "/".join(marks) for name, marks in found.items()}


def _versions_text(records: Sequence[Record]) -> str:
    return ", ".join(f"{clean(k)} {clean(v)}" for k, v in sorted(_fingerprints(records).items()))


def _libraries(entrants: Sequence[Entrant]) -> list[list[str]]:
    """Name the libraries of an entrant whose versions are not those of most others."""
    prints = [_fingerprints(entrant.records) for entrant in entrants]
    words: list[list[str]] = [[] for _ in entrants]
    for name in sorted({name for found in prints for name in found}):
        usual = _usual(found[name] for found in prints if name in found)
        for i, found in enumerate(prints):
            if found.get(name, usual) != usual and is_version(found[name]):
                words[i].append(clean(f"{name} {found[name]}"))
    return words


def _sources(entrants: Sequence[Entrant]) -> tuple[list[list[str]], dict[str, list[str]]]:
    """Sort entrants into groups such that in each of them all ran the same code.

    The largest group bears no mark; an entrant whose own runs were not by the same code is in none.

    Returns:
        For each entrant its mark, if any; and for the mark of each group the packages whose sources
        are not those of the largest.
    """
    groups: list[dict[str, str]] = []
    members: list[list[int]] = []
    marks: list[list[str]] = [[] for _ in entrants]
    for i, entrant in enumerate(entrants):
        own: dict[str, str] = {}
        mixed = False
        for prints in (record.fingerprint for record in entrant.records):
            mixed |= bool(other_sources(own, prints))
            own |= {name: mark for name, mark in prints.items() if not is_version(mark)}
        if mixed:
            marks[i].append(MIXED_SOURCE)
            continue
        place = next(
            (k for k, group in enumerate(groups) if not other_sources(own, group)), len(groups)
        )
        if place == len(groups):
            groups.append({})
            members.append([])
        groups[place] |= own
        members[place].append(i)
    order = sorted(range(len(groups)), key=lambda k: -len(members[k]))
    differing = {}
    for number, k in enumerate(order[1:], 2):
        mark = f"source {number}"
        differing[mark] = other_sources(groups[k], groups[order[0]])
        for i in members[k]:
            marks[i].append(mark)
    return marks, differing
