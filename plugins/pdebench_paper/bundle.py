"""The bundle: records, what is made from them, and how; put into place at the end."""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pdebench_lite.data_files import each
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.store.locks import LOCK
from pdebench_lite.store.merge import merge, read_environment
from pdebench_lite.store.records import FIELDS, HISTORY, Record, Store
from pdebench_paper.citations import bibliography
from pdebench_paper.document import document
from pdebench_paper.environments import lock
from pdebench_paper.histories import histories_csv
from pdebench_paper.instructions import SUMS, instructions
from pdebench_paper.items import DATA, FIGURES, RECORDS, TABLES, items
from pdebench_paper.studies import study_files
from pdebench_paper.sums import write_sums, written_before

ENVIRONMENTS = "environments"


@dataclass(frozen=True)
class Bundle:
    """What was made.

    Attributes:
        paths: the files within the bundle, without those of the records.
        missing: the items whose commands failed.
    """

    paths: list[str]
    missing: list[str]


def write_bundle(
    results: Path,
    out: Path,
    known: Registry,
    style: str = "plain",
    fields: bool = True,
    say: Callable[[str], None] = lambda line: None,
) -> Bundle:
    """Write a bundle: records, tables, figures, numbers, studies, environments, references, text.

    An earlier bundle in the folder is replaced; files of others in it stay.

    Args:
        results: the results folder; it is only read.
        out: folder of the bundle; made if it is missing.
        known: where problems and methods are looked up.
        style: what the figures are made for; see `pdebench plot --style`.
        fields: whether the records keep their fields, which maps and slices need.
        say: hears, in one line each, of what could not be made.

    Returns:
        What was made, and what could not be.

    Raises:
        PdebenchError: no records, an unknown style, a folder that cannot be written, or a file of
            the earlier bundle that was changed since.
    """
    from pdebench_lite.report.figures.style import page

    width = page(style).full  # refuses an unknown style before anything is made
    _check(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as made:
            missing = _fill(Path(made), results, known, style, width, fields, say)
            return Bundle(_put_into_place(Path(made), out), missing)
    except OSError as error:
        raise PdebenchError(
            f"cannot write '{out}': {error.strerror or error}; choose another with --out DIR"
        ) from None


def _check(out: Path) -> None:
    if not out.exists() or written_before(out):
        return
    if not out.is_dir() or any(out.iterdir()):
        raise PdebenchError(f"'{out}' is there and no earlier bundle; choose another --out DIR")


def _fill(
    folder: Path,
    results: Path,
    known: Registry,
    style: str,
    width: float,
    fields: bool,
    say: Callable[[str], None],
) -> list[str]:
    """Write everything into an empty folder; returns the items that could not be made."""
    from pdebench_lite import __version__

    artifacts = (HISTORY, FIELDS) if fields else (HISTORY,)
    for line in merge([results], folder / RECORDS, artifacts=artifacts).left_out:
        say(f"left out: {line}")
    (folder / RECORDS / LOCK).unlink(missing_ok=True)  # nobody else writes into a bundle
    store = Store(folder / RECORDS)
    records = store.load().records
    if not records:
        raise PdebenchError(f"no sound record in '{results}'; try: pdebench run --help")
    every = items(style)
    made = [item for item in every if item.make(folder, say)]

    def write(name: str, text: str) -> str:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return name

    write(f"{DATA}/histories.csv", histories_csv(store, records, say))
    texts = study_files([record.identity for record in records], known)
    names = (
        ["study.yaml"] if len(texts) == 1 else [f"study-{n + 1}.yaml" for n in range(len(texts))]
    )
    studies = [write(name, text) for name, text in zip(names, texts, strict=True)]
    environments = _environments(store, records, say)
    locks = [
        write(f"{ENVIRONMENTS}/{digest}.txt", lock(digest, stored))
        for digest, stored in environments.items()
    ]
    tables = [
        Path(i.path).stem for i in made if i.path.startswith(TABLES) and i.path.endswith("tex")
    ]
    cited = bibliography(records, known)
    figures = sorted((folder / FIGURES).glob("*.pdf"))
    write(
        "paper.tex",
        document(records, known, cited, figures, tables, environments, __version__, width),
    )
    files = sorted({file for r in records for file in each([r.problem_params, r.config])})
    text = instructions(made, studies, locks, style, __version__, len(records), files)
    write("REPRODUCE.md", text)
    write_sums(folder)
    return [item.path for item in every if item not in made]


def _environments(
    store: Store, records: list[Record], say: Callable[[str], None]
) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for digest in dict.fromkeys(record.environment for record in records if record.environment):
        stored = read_environment(store.root, digest)
        if stored is None:
            say(f"no environment {digest} among the records: no lock of it")
        else:
            found[digest] = stored
    return found


def _put_into_place(made: Path, out: Path) -> list[str]:
    """Move the new files into the folder, after those of an earlier bundle are gone."""
    out.mkdir(exist_ok=True)
    new = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
    old = written_before(out)
    for path in new:
        if (out / path).exists() and out / path not in old and path.name != SUMS:
            raise PdebenchError(f"'{out / path}' is there and of no earlier bundle; move it away")
    for gone in old:
        gone.unlink()
    for folder in sorted({parent for path in old for parent in path.parents}, reverse=True):
        if folder != out and folder.is_relative_to(out) and not any(folder.iterdir()):
            folder.rmdir()
    for path in new:
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made / path, out / path)
    return [path.as_posix() for path in new if os.fspath(path.parts[0]) != RECORDS]
