"""One name for each data file in a set of records, whatever the files were called."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from pdebench_lite.data_files import each, mapped, short
from pdebench_lite.selectors import canonical, parse_selector

if TYPE_CHECKING:
    from pdebench_lite.records import Record


def one_name(records: "Iterable[Record]") -> "list[Record]":
    """Return records in which files of the same contents have the same name: the earliest.

    So a problem has one label. Records from before contents counted name a file by its path: they
    get its name, and the mark of its contents that is in their fingerprint.
    """
    records = [_dated(record) for record in records]
    first: dict[str, tuple[str, str]] = {}
    for record in records:
        for name, digest in each([record.problem_params, record.config]):
            found = (record.started, name)
            first[digest] = min(first.get(digest, found), found)
    names = {digest: name for digest, (_, name) in first.items()}
    return [_renamed(record, names) for record in records]


def _renamed(record: "Record", names: Mapping[str, str]) -> "Record":
    old = {digest: name for name, digest in each([record.problem_params, record.config])}
    texts = {
        f"{name}@{digest}": f"{names[digest]}@{digest}"
        for digest, name in old.items()
        if names[digest] != name
    }
    return _replaced(record, texts)


def _dated(record: "Record") -> "Record":
    """Return a record that names files by path with their names, and the marks of that time."""
    texts: dict[str, str] = {}

    def look(text: str) -> str:
        mark = record.fingerprint.get(text, ".")
        if "." not in mark and not text.endswith(f"@old-{mark}"):  # no version of a library
            texts[text] = f"{os.path.basename(text)}@old-{mark}"
        return text

    mapped([record.problem_params, record.config], look)
    return _replaced(record, texts)


def _replaced(record: "Record", texts: Mapping[str, str]) -> "Record":
    """Return a record with other texts in place of some in its settings, labels and marks."""
    if not texts:
        return record
    in_labels = {**texts, **{short(old): short(new) for old, new in texts.items()}}
    swap = partial(mapped, change=lambda text: texts.get(text, text))

    def relabelled(label: str) -> str:
        read = parse_selector(label)
        values = mapped(read.values, lambda text: in_labels.get(text, text))
        return canonical(f"{read.name}:{read.task}" if read.task else read.name, values)

    return record.model_copy(
        update={
            "problem_params": swap(record.problem_params),
            "config": swap(record.config),
            "problem_label": relabelled(record.problem_label),
            "label": relabelled(record.label),
            "fingerprint": {texts.get(k, k): mark for k, mark in record.fingerprint.items()},
        }
    )
