"""A page of synthetic records, and what it was made from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.report.web.write import gather, write_report
from pdebench_lite.store.records import LOG, Store

HOSTILE = "</script><img src=x onerror=alert(1)><!--<b>${7*7}"
"""A label that would run, break out of its script, or be read as markup."""


@pytest.fixture(scope="session")
def hostile() -> str:
    """Return a text that means harm."""
    return HOSTILE


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory, store: Store, make_one: Any) -> Store:
    """The study of the reports, and beside it a failure whose names and log mean harm."""
    import shutil

    made = Store(tmp_path_factory.mktemp("web") / "results")
    shutil.copytree(store.root, made.root)
    bad = make_one("pinn", label=HOSTILE, status="crashed", reason=f"{HOSTILE} \x1b[31m‮")
    folder = made.workspace(bad.cell)
    (folder / LOG).write_text(f"first\n  {HOSTILE}\n=1+1\n")
    made.publish(bad, folder)
    return made


@pytest.fixture(scope="session")
def parts(results: Store) -> Mapping[str, Any]:
    """What the page shows."""
    return gather(results, results.load().records)


@pytest.fixture(scope="session")
def page_file(results: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(results, results.load().records, path)
    return path
