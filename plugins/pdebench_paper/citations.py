"""Citations: the works behind the problems and methods of a set of records."""

import importlib.metadata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_lowercase

from pdebench_lite.analysis.wording import clean
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.store.records import Record
from pdebench_paper.bibtex import Entry, harmless, parse, plain, safe_key

PROGRAM = "pdebench-lite"
Thing = tuple[str, str]  # "problem" or "method", and its name


@dataclass(frozen=True)
class Bibliography:
    """What is to be cited.

    Attributes:
        entries: the program's own first, then in the order of the records; each work once.
        keys: what cites which entries.
        lacking: one line for each problem or method that has no citation here, and why.
    """

    entries: list[Entry] = field(default_factory=list)
    keys: dict[Thing, tuple[str, ...]] = field(default_factory=dict)
    lacking: list[str] = field(default_factory=list)

    def write(self) -> str:
        """Return the bibliography as the text of a `.bib` file."""
        return "\n".join(entry.write() for entry in self.entries)

    def add(self, entry: Entry) -> str:
        """Add an entry unless its work is there; returns the key under which it is found.

        Another work under the same key gets a letter behind it.
        """
        key = entry.key
        for letter in ("", *ascii_lowercase):
            key = entry.key + letter
            there = [e for e in self.entries if e.key.lower() == key.lower()]
            if not there:
                self.entries.append(entry.renamed(key))
                return key
            if there[0].same_work(entry):
                return there[0].key
        return key  # more works of one key than the alphabet has letters: the last is meant


def bibliography(records: Iterable[Record], known: Registry) -> Bibliography:
    """Gather the citations of the program and of every problem and method of some records."""
    found = Bibliography([own_entry()])
    things: dict[Thing, None] = {}
    for record in records:
        things |= {("problem", record.problem): None, ("method", record.method): None}
    for kind, name in sorted(things, key=lambda thing: thing[0] != "problem"):
        try:
            text = (known.problem(name) if kind == "problem" else known.method(name)).citation
        except PdebenchError:
            found.lacking.append(f"{kind} '{clean(name)}' is not installed here: no citation")
            continue
        if not text.strip():
            found.lacking.append(f"{kind} '{clean(name)}' supplies no citation")
            continue
        entries = _entries(kind, name, text, found.lacking)
        found.keys[kind, name] = tuple(found.add(entry) for entry in entries)
    return found


def _entries(kind: str, name: str, text: str, lacking: list[str]) -> list[Entry]:
    try:
        entries = parse(text)
    except ValueError as error:
        lacking.append(f"the citation of {kind} '{clean(name)}' is not BibTeX: {clean(error)}")
        entries = []
    if entries:
        return entries
    return [Entry("misc", safe_key(f"{kind}-{name}"), {"note": plain(clean(text))})]


def own_entry() -> Entry:
    """Return the entry of this program, from its own metadata."""
    about: Mapping[str, str] = importlib.metadata.metadata(PROGRAM)  # type: ignore[assignment]
    fields = {
        "title": f"{{{PROGRAM}: {harmless(about['Summary']).rstrip('.')}}}",  # keeps its capitals
        "author": f"{{{harmless(about['Author'])}}}",
        "note": f"Version {harmless(about['Version'])}",
    }
    return Entry("misc", PROGRAM, fields)
