"""One name for each data file in a set of records, whatever the files were called."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from pdebench_lite.data_files import each, mapped, short, texts
from pdebench_lite.errors import PdebenchError
from pdebench_lite.selectors import canonical, parse_selector

if TYPE_CHECKING:
    from pdebench_lite.store.records import Record


def one_name(records: "Iterable[Record]") -> "list[Record]":
    """Return records in which files of the same contents have the same name: the earliest.

    So a problem has one label. Records from before contents counted name a file by its path: they
    get its name, and the mark of its contents that is in their fingerprint.
    """
    records = [_dated(record) for record in records]
    files = [list(each([record.problem_params, record.config])) for record in records]
    first: dict[str, tuple[str, str]] = {}
    for record, its in zip(records, files, strict=True):
        for name, digest in its:
            found = (record.started, name)
            first[digest] = min(first.get(digest, found), found)
    return [
        _replaced(
            record,
            {
                f"{name}@{digest}": f"{first[digest][1]}@{digest}"
                for name, digest in its
                if first[digest][1] != name
            },
        )
        for record, its in zip(records, files, strict=True)
    ]


def _dated(record: "Record") -> "Record":
    """Return a record that names files by path with their names, and the marks of that time."""
    changes: dict[str, str] = {}
    for text in texts([record.problem_params, record.config]):
        mark = record.fingerprint.get(text)
        is_path = "." in text or "/" in text  # else it may be a package
        if mark is not None and is_path and not text.endswith(f"@old-{mark}"):
            changes[text] = f"{os.path.basename(text)}@old-{mark}"
    return _replaced(record, changes)


def _replaced(record: "Record", changes: Mapping[str, str]) -> "Record":
    """Return a record with other texts in place of some in its settings, labels and marks."""
    if not changes:
        return record
    in_labels = {**changes, **{short(old): short(new) for old, new in changes.items()}}
    swap = partial(mapped, change=lambda text: changes.get(text, text))

    def relabelled(label: str) -> str:
        try:
            read = parse_selector(label)
        except PdebenchError:  # a record of elsewhere may be called anything
            return label
        values = mapped(read.values, lambda text: in_labels.get(text, text))
        return canonical(f"{read.name}:{read.task}" if read.task else read.name, values)

    reason = record.reason
    for old, new in in_labels.items():
        reason = reason.replace(old, new)
    return record.model_copy(
        update={
            "reason": reason,
            "problem_params": swap(record.problem_params),
            "config": swap(record.config),
            "problem_label": relabelled(record.problem_label),
            "label": relabelled(record.label),
            "fingerprint": {changes.get(k, k): mark for k, mark in record.fingerprint.items()},
        }
    )
