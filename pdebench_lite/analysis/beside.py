"""Records of another folder beside the user's own: what of them compares, and what does not."""

from collections.abc import Sequence

from pdebench_lite.analysis.entrants import Contest, Entrant, Source
from pdebench_lite.analysis.provenance import measured
from pdebench_lite.analysis.wording import clean
from pdebench_lite.store.marks import is_version, other_sources


def beside(contest: Contest, sources: Sequence[Source]) -> list[str]:
    """Say of each further folder what of its rows can be compared with those of the first.

    Args:
        contest: one problem.
        sources: the folders, the user's own first.

    Returns:
        A line for each further folder; none where the problem is in one folder only.
    """
    own = [e for e in contest.entrants if e.key.source == sources[0].name]
    lines = []
    for source in sources[1:]:
        theirs = [e for e in contest.entrants if e.key.source == source.name]
        if own and theirs:
            lines.append(_line(source, own, theirs))
    return lines


def _line(source: Source, own: Sequence[Entrant], theirs: Sequence[Entrant]) -> str:
    when = measured([r for e in theirs for r in e.records], source.environment)
    pairs = [(a, b) for b in theirs for a in own if _who(a) == _who(b)]
    count = len({id(b) for _, b in pairs})
    parts = [
        f"rows that have a counterpart in yours, {count} of {len(theirs)} (the same method, "
        "settings, backend, precision, device and budget)"
    ]
    machines = {e.key.machine for e in own}
    if all(e.key.machine in machines for e in theirs):
        parts.append("the machine is the same, so times compare where nothing else ran")
    else:
        parts.append(
            "the machine is another: errors after equal steps compare; times, memory, and errors "
            "after equal times do not"
        )
    budgets = {e.key.budget for e in own}
    if other := sum(e.key.budget not in budgets for e in theirs):
        parts.append(f"{other} of its rows had a budget that none of yours had")
    parts += _versions(own, theirs)
    changed = sorted({n for a, b in pairs for n in _changed(a, b)})
    if changed:
        parts.append(f"since then the sources of {', '.join(map(clean, changed))} have changed")
    return f"from {clean(source.name)}{f', {when}' if when else ''}: {'; '.join(parts)}"


def _who(entrant: Entrant) -> tuple[str, ...]:
    key = entrant.key
    return key.label, key.backend, key.dtype, key.device, key.budget


def _found(entrants: Sequence[Entrant], library: str) -> set[str]:
    versions = (r.fingerprint.get(library) for e in entrants for r in e.records)
    return {clean(version) for version in versions if version}


def _versions(own: Sequence[Entrant], theirs: Sequence[Entrant]) -> list[str]:
    """Name the libraries whose versions are not the same."""
    words = []
    marks = {n: m for e in (*own, *theirs) for r in e.records for n, m in r.fingerprint.items()}
    for library in sorted(name for name, mark in marks.items() if is_version(mark)):
        here, there = _found(own, library), _found(theirs, library)
        if here and there and here != there:
            words.append(
                f"{library} {'/'.join(sorted(there))} there, {'/'.join(sorted(here))} here"
            )
    return words


def _changed(own: Entrant, its: Entrant) -> list[str]:
    """Name the packages that the two rows were not made by alike."""
    return other_sources(own.record.fingerprint, its.record.fingerprint)
