"""`race`: run cells of the fakes in child processes, from Python."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import execute, make_budget, parse_rerun, plan
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import Record, Store

Race = Callable[..., list[Record]]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """The results folder that `race` writes to."""
    return Store(tmp_path / "results")


@pytest.fixture
def race(fakes: Path, store: Store) -> Race:
    """Return a function that runs methods on the toy problem."""

    def run(
        methods: str,
        problem: str = "toy",
        seeds: tuple[int, ...] = (0,),
        rerun: str = "",
        jobs: int = 1,
        backend: str = "numpy",
        **limits: float,
    ) -> list[Record]:
        budget: Budget = make_budget(
            limits.get("max_time"),
            int(limits["max_steps"]) if "max_steps" in limits else None,
            limits.get("target_error"),
            limits.get("max_memory"),
        )
        known = registry()
        cells, devices = plan(known, problem, methods, backend, seeds, budget)
        return execute(known, cells, devices, store.root, parse_rerun(rerun), jobs=jobs)

    return run
