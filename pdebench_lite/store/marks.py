"""What the marks of a fingerprint say: versions of libraries, hashes of sources and of data.

A source is marked file by file, `package/module.py`. Records of earlier versions have one mark for
each package.
"""

import hashlib
from collections.abc import Iterable, Mapping

_SOURCES = (".py", ".pyc", ".so", ".pyd")
_NAMED = 3  # files that a line names of a package


def is_version(mark: str) -> bool:
    """Whether a mark is a library's version, not a hash."""
    return "." in mark


def is_source(name: str) -> bool:
    """Whether a mark of this name is that of a file of source."""
    return name.endswith(_SOURCES)


def package_of(name: str) -> str:
    """Return the package that the name of a file of source begins with; other names as they are."""
    return name.partition("/")[0].removesuffix(".py") if is_source(name) else name


def by_package(marks: Mapping[str, str]) -> dict[str, str]:
    """Return marks with one for each package in place of those of its files."""
    files: dict[str, list[str]] = {}
    found = {}
    for name, mark in sorted(marks.items()):
        if is_source(name):
            files.setdefault(package_of(name), []).append(f"{name} {mark}")
        else:
            found[name] = mark
    for package, lines in files.items():
        found[package] = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
    return dict(sorted(found.items()))


def other_sources(some: Mapping[str, str], others: Mapping[str, str]) -> list[str]:
    """Return the packages of which both have files or marks that are not the same.

    Files that only one has do not count: it reached further. A package that was marked as a whole
    in one, and file by file in the other, cannot be the same.
    """
    differing = {
        package_of(name)
        for name in some.keys() & others.keys()
        if some[name] != others[name] and not is_version(some[name])
    }
    return sorted(differing | _old_kind(some, others) | _old_kind(others, some))


def _old_kind(whole: Mapping[str, str], files: Mapping[str, str]) -> set[str]:
    """Return the packages that have one mark in the first and marks of files in the second."""
    return {package_of(name) for name in files if is_source(name)} & whole.keys()


def changed_marks(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Say what differs between two fingerprints, such as `torch 2.12 -> 2.13`; empty if nothing."""
    names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    old = _old_kind(then, now)
    files: dict[str, list[str]] = {}
    for name in names:
        if is_source(name) and package_of(name) not in old:
            kind = "new" if name not in then else "gone" if name not in now else "changed"
            files.setdefault(kind, []).append(name)
    said = [f"{_some(found)} {kind}" for kind, found in files.items()]
    rest = [name for name in names if not is_source(name) and name not in old]
    said += [f"{n} {then.get(n, 'none')} -> {now.get(n, 'none')}" for n in rest]
    if old:
        said.append(f"{', '.join(sorted(old))} marked as a whole, by an earlier version")
    return ", ".join(said)


def _some(names: Iterable[str]) -> str:
    """Name files, the first few of many."""
    listed = list(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "")
